package msal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// browse is a browser whose person signs in as who; page gets what it showed at
// the end.
func (w *world) browse(who string, page *string) func(string) error {
	return func(authURI string) error {
		answer, err := w.srv.Authorize(authURI, who)
		if err != nil {
			return err
		}
		status, text, err := deliver(authURI, answer)
		if page != nil {
			*page = fmt.Sprint(status, " ", text)
		}
		return err
	}
}

// deliver brings an answer to the redirect URI of a request.
func deliver(authURI string, answer url.Values) (int, string, error) {
	u, err := url.Parse(authURI)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.PostForm(u.Query().Get("redirect_uri"), answer)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func TestInteractiveFeatures(t *testing.T) {
	t.Parallel()
	t.Run("C11 sign-in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		p := w.public(w.options(nil))
		pages := make(chan string, 1)
		r, err := p.Interactive(t.Context(), scopes, &msal.InteractiveOptions{SuccessPage: "welcome", OpenURL: func(uri string) error {
			var page string
			err := w.browse(alice, &page)(uri)
			pages <- page
			return err
		}})
		if err != nil || r.Account.PreferredUsername != alice || r.RefreshToken == "" {
			t.Fatal(r, err)
		}
		if page := <-pages; page != "200 welcome" {
			t.Errorf("showed %q", page)
		}
		silently(t, p, &msal.SilentOptions{Account: &r.Account})
	})
	t.Run("C11 what is asked for", func(t *testing.T) {
		t.Parallel()
		interactiveAsks(t)
	})
	t.Run("S20 browser that nobody finished with", func(t *testing.T) {
		t.Parallel()
		interactiveTimesOut(t)
	})
}

func interactiveAsks(t *testing.T) {
	w := newWorld(t, nil)
	p := w.public(w.options(nil))
	age := 60
	for name, row := range map[string]struct {
		o    msal.InteractiveOptions
		want string
	}{
		"prompt":      {msal.InteractiveOptions{Prompt: msal.PromptCreate}, "create"},
		"login_hint":  {msal.InteractiveOptions{LoginHint: bob}, bob},
		"domain_hint": {msal.InteractiveOptions{DomainHint: "contoso.example"}, "contoso.example"},
		"claims":      {msal.InteractiveOptions{Claims: `{"id_token":{"acr":null}}`}, `{"id_token":{"acr":null}}`},
		"max_age":     {msal.InteractiveOptions{MaxAge: &age}, "60"},
	} {
		seen := errors.New("seen")
		for want, o := range map[string]msal.InteractiveOptions{row.want: row.o, "": {}} {
			var got string
			o.OpenURL = func(uri string) error {
				u, err := url.Parse(uri)
				got = u.Query().Get(name)
				return errors.Join(seen, err)
			}
			if _, err := p.Interactive(t.Context(), scopes, &o); !errors.Is(err, seen) || got != want {
				t.Errorf("%s: asked for %q, want %q: %v", name, got, want, err)
			}
		}
	}
}

func interactiveTimesOut(t *testing.T) {
	w := newWorld(t, nil)
	p := w.public(w.options(nil))
	closedTab := func(string) error { return nil }
	_, err := p.Interactive(t.Context(), scopes, &msal.InteractiveOptions{OpenURL: closedTab, Timeout: 20 * time.Millisecond})
	if !errors.Is(err, msal.ErrBrowserTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("its own time: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err = p.Interactive(ctx, scopes, &msal.InteractiveOptions{OpenURL: closedTab}); !errors.Is(err, msal.ErrBrowserTimeout) {
		t.Errorf("the caller's time: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	_, err = p.Interactive(ctx, scopes, &msal.InteractiveOptions{OpenURL: func(string) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) || errors.Is(err, msal.ErrBrowserTimeout) {
		t.Errorf("the caller gave up: %v", err)
	}
}

// TestInteractiveRefused: what goes wrong is an error, and the person is told
// that it did.
func TestInteractiveRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		who  string
		fail *msaltest.Failure
		want error
	}{
		"the person declines": {"", nil, msal.ErrAccessDenied},
		"the code is refused": {alice, &msaltest.Failure{Code: "invalid_grant"}, msal.ErrInvalidGrant},
		"the server is away":  {alice, &msaltest.Failure{Status: 503}, msal.ErrServerBusy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			if row.fail != nil {
				w.srv.Fail(msaltest.KindTokenCode, *row.fail)
			}
			pages := make(chan string, 1)
			_, err := w.public(w.options(nil)).Interactive(t.Context(), scopes, &msal.InteractiveOptions{ErrorPage: "no", OpenURL: func(uri string) error {
				var page string
				err := w.browse(row.who, &page)(uri)
				pages <- page
				return err
			}})
			if _, ok := errors.AsType[*msal.Error](err); !ok || !errors.Is(err, row.want) {
				t.Errorf("%v", err)
			}
			if page := <-pages; page != "400 no" {
				t.Errorf("showed %q", page)
			}
		})
	}
}

func TestInteractiveRedirectURI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := w.public(w.options(nil))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := "http://" + free.Addr().String()
	if _, err := p.Interactive(t.Context(), scopes, &msal.InteractiveOptions{RedirectURI: taken, OpenURL: w.browse(alice, nil)}); err == nil {
		t.Error("on a port that is taken")
	}
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Interactive(t.Context(), scopes, &msal.InteractiveOptions{RedirectURI: taken + "/back", OpenURL: w.browse(alice, nil)}); err != nil {
		t.Error(err)
	}
	if got := w.last(msaltest.KindTokenCode).Form.Get("redirect_uri"); got != taken+"/back" {
		t.Errorf("came back to %s", got)
	}
	for _, bad := range []string{"https://localhost", "http://app.example", "http://10.0.0.1:80", "localhost:80", "http://localhost/#x", "http://localhost/?a=b", "http://me@localhost", "http://%zz"} {
		if _, err := p.Interactive(t.Context(), scopes, &msal.InteractiveOptions{RedirectURI: bad, OpenURL: w.browse(alice, nil)}); !errors.Is(err, msal.ErrFlow) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
