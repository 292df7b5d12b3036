package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/msal/web"
)

// undying is a session store that may not delete, and minds contexts.
type undying struct {
	contextual

	noDeletes atomic.Bool
}

func (u *undying) DeleteCtx(ctx context.Context, id string) error {
	if u.noDeletes.Load() {
		return errors.New("the disk is gone")
	}
	return errors.Join(ctx.Err(), u.store.Delete(id))
}

func newUndying(store scs.Store) *undying { return &undying{contextual: contextual{store}} }

// TestSignOutWhenSessionStoreFails: nobody is told to be signed out who isn't, and
// the browser loses its cookie.
func TestSignOutWhenSessionStoreFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	store := newUndying(w.store)
	b := w.browser(w.serve(func(c *web.Config) { c.Store = store }))
	b.signIn(w, "/user/login", alice)
	form := url.Values{web.CSRFField: {b.csrf()}}
	store.noDeletes.Store(true)
	a := b.post("/user/logout", form)
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Location") != "" || strings.Contains(a.body, "disk") {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
	if b.cookie(sessionCookie) != "" || b.info().Authenticated || len(w.keys()) != 0 {
		t.Errorf("the browser still has its session: %v", a.Cookies())
	}
	b.signIn(w, "/user/login", alice)
	err := b.with(func(r *http.Request, s *web.Session) error {
		b.site.app.Sessions().Put(r.Context(), "x", "y") // which would be stored
		return s.SignOut(r.Context())
	})
	if err == nil || b.cookie(sessionCookie) != "" {
		t.Errorf("the browser has a session again, %v", err)
	}
}

// TestSignOutOfWhoLeft: a session ends also where nobody waits for it.
func TestSignOutOfWhoLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(func(c *web.Config) { c.Store = newUndying(w.store) }))
	b.signIn(w, "/user/login", alice)
	kept := b.cookie(sessionCookie)
	err := b.with(func(r *http.Request, _ *web.Session) error {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		return b.site.app.Session(r.WithContext(ctx)).SignOut(ctx)
	})
	b.plant(kept)
	if err != nil || b.info().Authenticated || len(w.keys()) != 0 {
		t.Errorf("%d items, %v", len(w.keys()), err)
	}
}

// TestRefusedWhenSessionStoreFails: who may not sign in isn't signed in because
// the session store can't delete.
func TestRefusedWhenSessionStoreFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	store := newUndying(w.store)
	b := w.browser(w.serve(func(c *web.Config) {
		c.Store = store
		c.OnLogin = []func(context.Context, *web.Session) error{func(context.Context, *web.Session) error {
			store.noDeletes.Store(true)
			return web.ErrForbidden
		}}
	}))
	a := b.fromEntra(b.approve(w, b.begin("/user/login"), alice))
	if a.StatusCode != http.StatusForbidden || b.info().Authenticated {
		t.Errorf("status %d", a.StatusCode)
	}
}
