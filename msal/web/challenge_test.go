package web_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

const demanded = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`

// api is somebody's API, whose answers the test gives.
func (w *world) api(h http.HandlerFunc) *httptest.Server {
	s := httptest.NewTLSServer(h)
	w.Cleanup(s.Close)
	return s
}

func challenge(rw http.ResponseWriter) {
	rw.Header().Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString([]byte(demanded))+`"`)
	rw.WriteHeader(http.StatusUnauthorized)
}

func TestClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var mu sync.Mutex
	tokens := map[string]bool{}
	api := w.api(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		tokens[r.Header.Get("Authorization")] = true
		if len(tokens) == 1 {
			challenge(rw)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(rw, "%s %s", r.Method, body)
	})
	stranger := w.api(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a token was sent to a stranger")
		}
	})
	b := w.browser(w.serve(nil))
	b.signIn(w, "/user/login", alice)
	t.Run("W7 claims that a refresh brings", func(t *testing.T) {
		err := b.with(func(r *http.Request, s *web.Session) error {
			ctx := r.Context()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, api.URL+"/orders", strings.NewReader("shoes"))
			if err != nil {
				return err
			}
			resp, err := s.Client(api.URL + "/Orders.Read").Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if string(body) != "POST shoes" {
				t.Errorf("status %d: %s", resp.StatusCode, body)
			}
			return err
		})
		refreshes := w.entra.Requests(msaltest.KindTokenRefresh)
		if err != nil || len(refreshes) != 2 || !strings.Contains(refreshes[1].Form.Get("claims"), "c1") {
			t.Errorf("%d refreshes, %v", len(refreshes), err)
		}
	})
	t.Run("W7 to nobody else", func(t *testing.T) {
		err := b.with(func(r *http.Request, s *web.Session) error {
			ctx := r.Context()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, stranger.URL, nil)
			if err != nil {
				return err
			}
			resp, err := s.Client(api.URL + "/Orders.Read").Do(req)
			if err != nil {
				return err
			}
			return resp.Body.Close()
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("W7 scopes without an address", func(t *testing.T) {
		for _, scope := range []string{"api://orders/Read", "0d1a0e4f-0000-4000-8000-000000000000/.default", "http://shop.example/Read"} {
			err := b.with(func(r *http.Request, s *web.Session) error {
				ctx := r.Context()
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, api.URL, strings.NewReader("x"))
				if err != nil {
					return err
				}
				_, err = s.Client(scope).Do(req)
				return err
			})
			if err == nil {
				t.Errorf("%s: sent all the same", scope)
			}
		}
	})
}

// TestClaimsThatNeedAPerson: the sign-in asks for what the API demands.
func TestClaimsThatNeedAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	api := w.api(func(rw http.ResponseWriter, _ *http.Request) { challenge(rw) })
	s := w.serve(nil)
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	s.page("/orders", func(rw http.ResponseWriter, r *http.Request, session *web.Session) {
		client, err := session.ClientFor([]string{api.URL}, "User.Read")
		if err != nil {
			t.Error(err)
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, api.URL, nil)
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := client.Do(req)
		if err == nil {
			t.Error(resp.Status, resp.Body.Close())
			return
		}
		s.app.Deny(rw, r, err)
	})
	interaction := msaltest.Failure{Code: "interaction_required", Codes: []int{50076}, Claims: demanded}
	for name, accept := range map[string]string{"W9 page": "text/html", "W9 program": "application/json"} {
		t.Run(name, func(t *testing.T) {
			w.entra.Fail(msaltest.KindTokenRefresh, interaction)
			r := b.request(t.Context(), http.MethodGet, "/orders", nil)
			r.Header.Set("Accept", accept)
			a := b.do(r)
			if accept == "text/html" {
				if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/user/login?to=%2Forders" {
					t.Fatalf("status %d to %q", a.StatusCode, a.Header.Get("Location"))
				}
			} else {
				want := `error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(demanded)) + `"`
				if got := a.Header.Get("WWW-Authenticate"); a.StatusCode != http.StatusUnauthorized || !strings.HasSuffix(got, want) {
					t.Fatalf("status %d, %s", a.StatusCode, got)
				}
			}
			if query := mustURL(t, b.begin("/user/login")).Query(); query.Get("claims") != demanded || query.Get("login_hint") != alice {
				t.Errorf("the sign-in asks for %q of %q", query.Get("claims"), query.Get("login_hint"))
			}
			if got := mustURL(t, b.begin("/user/login")).Query().Get("claims"); got != "" {
				t.Errorf("and the next one again for %q", got)
			}
		})
	}
}
