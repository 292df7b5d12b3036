package msal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// TestInteractiveNoise: what others send to the port neither ends the sign-in
// nor becomes one.
func TestInteractiveNoise(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.public(w.options(nil))
	r, err := p.Interactive(t.Context(), scopes, &msal.InteractiveOptions{OpenURL: func(uri string) error {
		theirs, err := w.srv.Authorize(uri, bob)
		if err != nil {
			return err
		}
		stolen := url.Values{"code": theirs["code"], "state": {"mine"}}
		for _, noise := range []url.Values{nil, stolen, {"error": {"access_denied"}}, {"state": {""}}, {"state": {strings.Repeat("x", 2<<20)}}} {
			if status, _, err := deliver(uri, noise); err == nil && status == http.StatusOK {
				return fmt.Errorf("taken: %.60v", noise)
			}
		}
		if err := elsewhere(uri); err != nil {
			return err
		}
		return w.browse(alice, nil)(uri)
	}})
	if err != nil || r.Account.PreferredUsername != alice {
		t.Errorf("%v, %v", r, err)
	}
	if n := w.srv.Count(msaltest.KindTokenCode); n != 1 {
		t.Errorf("%d codes redeemed", n)
	}
}

// elsewhere asks for what isn't the redirect URI, and by other methods.
func elsewhere(authURI string) error {
	u, err := url.Parse(authURI)
	if err != nil {
		return err
	}
	redirect := u.Query().Get("redirect_uri")
	for path, want := range map[string]int{"/favicon.ico": http.StatusNotFound, "/": http.StatusBadRequest, "/?state=": http.StatusBadRequest} {
		resp, err := http.Get(redirect + path)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			return fmt.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	req, err := http.NewRequest(http.MethodDelete, redirect, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("DELETE: %d", resp.StatusCode)
	}
	return nil
}

// TestInteractiveTwice: an answer counts once, also where two come at one time.
func TestInteractiveTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	pages := make(chan int, 2)
	_, err := w.public(w.options(nil)).Interactive(t.Context(), scopes, &msal.InteractiveOptions{OpenURL: func(uri string) error {
		answer, err := w.srv.Authorize(uri, alice)
		for range 2 {
			go func() {
				status, _, err := deliver(uri, answer)
				if err != nil { // the port was closed by then
					status = http.StatusBadRequest
				}
				pages <- status
			}()
		}
		return err
	}})
	if err != nil || w.srv.Count(msaltest.KindTokenCode) != 1 {
		t.Errorf("%d codes redeemed: %v", w.srv.Count(msaltest.KindTokenCode), err)
	}
	if a, b := <-pages, <-pages; a+b != http.StatusOK+http.StatusBadRequest {
		t.Errorf("showed %d and %d", a, b)
	}
}

// TestInteractiveQuery: a provider that knows no form_post answers in the query.
func TestInteractiveQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, err := w.public(w.options(nil)).Interactive(t.Context(), scopes, &msal.InteractiveOptions{OpenURL: func(uri string) error {
		answer, err := w.srv.Authorize(uri, alice)
		if err != nil {
			return err
		}
		u, err := url.Parse(uri)
		if err != nil {
			return err
		}
		resp, err := http.Get(u.Query().Get("redirect_uri") + "?" + answer.Encode())
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}})
	if err != nil {
		t.Error(err)
	}
}
