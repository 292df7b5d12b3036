package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

// TestCachesAreBounded: sessions beyond the bound are as good as those in memory,
// and are loaded anew.
func TestCachesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	store, tokens := newTampered(t)
	w.tokens = tokens
	s := w.serve(func(c *web.Config) { c.Caches = 4 })
	s.page("/me", func(rw http.ResponseWriter, r *http.Request, session *web.Session) {
		_, err := session.Token(r.Context())
		fmt.Fprint(rw, session.Email(), err)
	})
	var all []*browser
	for i := range 12 {
		b := w.browser(s)
		b.signIn(w, "/user/login", fmt.Sprintf("user%d@contoso.example", i))
		all = append(all, b)
	}
	discovery := w.entra.Count(msaltest.KindDiscovery)
	for range 2 {
		runtime.GC() // what nobody has is found as long as it is there
		store.unknown.Store(0)
		for i, b := range all {
			if a := b.get("/me"); a.body != fmt.Sprintf("user%d@contoso.example<nil>", i) {
				t.Error(a.body)
			}
		}
		if n := store.unknown.Load(); n < 12-4 {
			t.Errorf("%d of 12 caches were loaded", n)
		}
	}
	if n := w.entra.Count(msaltest.KindTokenRefresh) + w.entra.Count(msaltest.KindDiscovery) - discovery; n != 0 {
		t.Errorf("%d requests for what is known", n)
	}
}

// TestTokenStoreFails: a refresh that can't be stored serves who asked and isn't
// lost; a sign-in that can't be stored isn't one.
func TestTokenStoreFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{SingleUseRefreshTokens: true})
	store, tokens := newTampered(t)
	w.tokens = tokens
	s := w.serve(func(c *web.Config) { c.Caches = 1 })
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	other := w.browser(s)
	other.signIn(w, "/user/login", bob)
	refresh := func(scope string) error {
		return b.with(func(r *http.Request, s *web.Session) error {
			_, err := s.Token(r.Context(), scope)
			return err
		})
	}
	store.noSaves.Store(true)
	if err := refresh("api://a/Read"); err != nil {
		t.Errorf("a token that was issued doesn't arrive: %v", err)
	}
	late := w.browser(s)
	if a := late.fromEntra(late.approve(w, late.begin("/user/login"), "carol@contoso.example")); a.StatusCode != http.StatusServiceUnavailable || late.info().Authenticated {
		t.Errorf("a sign-in that isn't stored: status %d", a.StatusCode)
	}
	if err := other.with(func(r *http.Request, s *web.Session) error { _, err := s.Token(r.Context()); return err }); err != nil {
		t.Error(err)
	}
	store.noSaves.Store(false)
	if err := refresh("api://b/Read"); err != nil { // by the token that waited
		t.Error(err)
	}
	if err := s.app.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := refresh("api://b/Read"); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestSignOutWhenStoreFails: whoever wants to be out is out, although the tokens
// stay until a sweep.
func TestSignOutWhenStoreFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	store, tokens := newTampered(t)
	w.tokens = tokens
	s := w.serve(nil)
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	csrf := b.csrf()
	store.noDeletes.Store(true)
	if a := b.post("/user/logout", url.Values{web.CSRFField: {csrf}}); a.StatusCode != http.StatusSeeOther || b.info().Authenticated {
		t.Errorf("status %d", a.StatusCode)
	}
	store.noDeletes.Store(false)
	if n, err := s.app.SweepOlder(t.Context(), -time.Minute); n != 1 || err != nil || len(w.keys()) != 0 {
		t.Errorf("%d items swept, %v", n, err)
	}
}
