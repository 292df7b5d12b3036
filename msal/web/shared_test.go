//go:build !windows || windows_sqlite

package web_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

// TestServersShareUsers: two servers with one pair of databases, refresh tokens
// that can be used once, and access tokens that are refreshed at each look. Nobody
// is signed out, and everybody gets their own.
func TestServersShareUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute, SingleUseRefreshTokens: true})
	dir := t.TempDir()
	var sites []*site
	for range 2 {
		s := w.serve(func(c *web.Config) {
			c.Tokens, c.AllowPlaintext = openTokens(t, filepath.Join(dir, "tokens")), false
			c.Store = openSessions(t, filepath.Join(dir, "sessions"))
			if len(sites) > 0 {
				c.BaseURL = sites[0].URL
			}
		})
		s.page("/me", func(rw http.ResponseWriter, r *http.Request, session *web.Session) {
			me, err := session.Graph().Me(r.Context())
			fmt.Fprint(rw, me.Mail, err)
		})
		sites = append(sites, s)
	}
	var wg sync.WaitGroup
	for i := range 6 {
		who := fmt.Sprintf("user%d@contoso.example", i)
		b := w.browser(sites[0])
		b.signIn(w, "/user/login", who)
		other := w.browser(sites[1])
		other.jar.SetCookies(mustURL(t, sites[1].URL), secured(b.jar.Cookies(mustURL(t, sites[0].URL))))
		for _, each := range []*browser{b, other} {
			wg.Go(func() {
				for range 10 {
					if a := each.get("/me"); a.body != who+"<nil>" {
						t.Errorf("%s is told %d %s", who, a.StatusCode, a.body)
					}
				}
			})
		}
	}
	wg.Wait()
	if n := w.entra.Count(msaltest.KindTokenRefresh); n < 60 {
		t.Errorf("only %d refreshes", n)
	}
}

// TestRefreshIsSeen: what one server refreshed, another one finds.
func TestRefreshIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	first := w.serve(nil)
	second := w.serve(func(c *web.Config) { c.BaseURL = first.URL })
	token := func(b *browser) (value string) {
		err := b.with(func(r *http.Request, s *web.Session) error {
			token, err := s.Token(r.Context(), "api://orders/Read")
			value = token.Value
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return value
	}
	b := w.browser(first)
	b.signIn(w, "/user/login", alice)
	mine := token(b)
	b.transfer(first, second)
	if theirs := token(b); theirs != mine || w.entra.Count(msaltest.KindTokenRefresh) != 1 {
		t.Errorf("W6: %d refreshes", w.entra.Count(msaltest.KindTokenRefresh))
	}
}

// TestOvertaken: a server whose refresh token was redeemed by another one waits
// for that one to store the next, longer than MSAL's client does.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	first := w.serve(nil)
	second := w.serve(func(c *web.Config) { c.BaseURL = first.URL })
	b := w.browser(first)
	b.signIn(w, "/user/login", alice)
	other := w.browser(second)
	other.jar.SetCookies(mustURL(t, second.URL), secured(b.jar.Cookies(mustURL(t, first.URL))))
	token := func(b *browser, scope string) error {
		return b.with(func(r *http.Request, s *web.Session) error {
			_, err := s.Token(r.Context(), scope)
			return err
		})
	}
	w.entra.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Code: "invalid_grant", SubError: "bad_token", Codes: []int{70000}})
	slow := make(chan error)
	go func() { slow <- token(b, "api://a/Read") }()
	if err := w.entra.Await(t.Context(), msaltest.KindTokenRefresh, 1); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond) // the other server's disk is slow
	if err := token(other, "api://b/Read"); err != nil {
		t.Error(err)
	}
	if err := <-slow; err != nil {
		t.Errorf("signed out by the other server: %v", err)
	}
}
