package web_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal/web"
)

// TestUndecodableSessions: the session of a version that has another type in it
// isn't taken for none.
func TestUndecodableSessions(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"form_post", "query"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			s := w.serve(func(c *web.Config) { c.ResponseMode = mode })
			b := w.browser(s)
			b.signIn(w, "/user/login", alice)
			live := w.keys()
			for id, data := range w.stored() {
				if err := w.store.Commit(id, append([]byte("payload7"), data...), time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			n, err := s.app.SweepOlder(t.Context(), -time.Minute)
			if n != 0 || !errors.Is(err, backend.ErrCorrupt) || len(w.keys()) != 1 || strings.Contains(err.Error(), "payload7") {
				t.Errorf("%d items swept, %v", n, err)
			}
			kept := b.cookie(sessionCookie)
			if a := b.get("/"); a.StatusCode != http.StatusServiceUnavailable || b.cookie(sessionCookie) != kept {
				t.Errorf("a look: status %d", a.StatusCode)
			}
			b.signIn(w, "/user/login/orders", alice)
			if !b.info().Authenticated || b.cookie(sessionCookie) == kept {
				t.Error("nobody can sign in any more")
			}
			if all := w.stored(); len(all) != 2 || len(w.keys()) != 2 || len(live) != 1 {
				t.Errorf("%d sessions, %d items", len(all), len(w.keys()))
			}
		})
	}
}

// TestUndecodableMeanwhile: a sign-in that begins in a session of this version
// may end on a server of the other one.
func TestUndecodableMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	put(b, "x", "y")
	form := b.approve(w, b.begin("/user/login"), alice)
	for id := range w.stored() {
		if err := w.store.Commit(id, []byte("of the next version"), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if a := b.fromEntra(form); a.StatusCode != http.StatusSeeOther || !b.info().Authenticated {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
}
