package web_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/msal/web"
)

// slowPage is a page that writes its session, and waits before it answers.
func (s *site) slowPage(path string) (arrived, leave chan struct{}) {
	arrived, leave = make(chan struct{}), make(chan struct{})
	s.page(path, func(rw http.ResponseWriter, r *http.Request, _ *web.Session) {
		s.app.Sessions().Put(r.Context(), "x", "slow")
		close(arrived)
		<-leave
		fmt.Fprint(rw, "done")
	})
	return arrived, leave
}

// TestSlowAnswers: what a request answers that began before a sign-in doesn't take
// the new session's cookie away.
func TestSlowAnswers(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*browser, *world){
		"somebody's":  func(b *browser, w *world) { b.signIn(w, "/user/login", alice) },
		"a visitor's": func(b *browser, _ *world) { put(b, "x", "y") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			s := w.serve(nil)
			b := w.browser(s)
			begin(b, w)
			arrived, leave := s.slowPage("/slow")
			done := make(chan answer)
			go func() { done <- b.get("/slow") }()
			<-arrived
			b.signIn(w, "/user/login", alice)
			fresh := b.cookie(sessionCookie)
			close(leave)
			if late := <-done; len(late.Cookies()) != 0 || b.cookie(sessionCookie) != fresh || !b.info().Authenticated {
				t.Errorf("the late answer brings %v", late.Cookies())
			}
		})
	}
}

// TestRememberMe: a cookie that outlives the browser is sent with each change, to
// live longer.
func TestRememberMe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	s.page("/remember", func(_ http.ResponseWriter, r *http.Request, _ *web.Session) {
		s.app.Sessions().RememberMe(r.Context(), r.URL.RawQuery == "yes")
	})
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	for query, persists := range map[string]bool{"yes": true, "no": false} {
		cookies := b.get("/remember?" + query).Cookies()
		if len(cookies) != 1 || cookies[0].MaxAge > 0 != persists {
			t.Errorf("%s: %v", query, cookies)
		}
	}
}

// restoring stores a session once more when it is deleted first, as a request does
// that was under way.
type restoring struct {
	scs.Store

	once sync.Once
}

func (s *restoring) Delete(id string) error {
	data, found, err := s.Find(id)
	if err == nil {
		err = s.Store.Delete(id)
	}
	if err == nil && found {
		s.once.Do(func() { err = s.Commit(id, data, time.Now().Add(time.Hour)) })
	}
	return err
}

// TestChangeOfAccount: the session before isn't back, although a request stored it
// just when it was ended.
func TestChangeOfAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(func(c *web.Config) { c.Store = &restoring{Store: w.store} }))
	b.signIn(w, "/user/login", alice)
	kept := b.cookie(sessionCookie)
	put(b, "hers", "x")
	b.signIn(w, "/user/login", bob)
	err := b.with(func(r *http.Request, s *web.Session) error {
		if s.Email() != bob || b.site.app.Sessions().Exists(r.Context(), "hers") {
			t.Errorf("signed in: %s", s.Email())
		}
		return context.Cause(r.Context())
	})
	b.plant(kept)
	if err != nil || b.info().Authenticated || len(w.stored()) != 1 {
		t.Errorf("%d sessions, %v", len(w.stored()), err)
	}
}
