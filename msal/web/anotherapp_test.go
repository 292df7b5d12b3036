package web_test

import (
	"net/http"
	"testing"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/msal/web"
)

// TestAnotherApplicationsSession: who copies a cookie from one application to
// another that has the same stores is nobody there, and what is in it doesn't
// come along.
func TestAnotherApplicationsSession(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"form_post", "query"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			orders := w.serve(nil)
			payroll := w.serve(func(c *web.Config) { c.ClientID, c.ResponseMode = "payroll", mode })
			admin := w.browser(orders)
			admin.signIn(w, "/user/login", alice)
			put(admin, "salary", "rise")
			copied := w.browser(payroll)
			copied.plant(admin.cookie(sessionCookie))
			if copied.info().Authenticated {
				t.Error("a session of another application is taken")
			}
			for stored, err := range payroll.app.Each(t.Context()) {
				t.Errorf("listed: %v, %v", stored, err)
			}
			if n, err := payroll.app.SweepOlder(t.Context(), 0); n != 0 || err != nil || !admin.info().Authenticated {
				t.Errorf("%d items swept, %v", n, err)
			}
			copied.signIn(w, "/user/login", alice)
			err := copied.with(func(r *http.Request, _ *web.Session) error {
				if got := payroll.app.Sessions().GetString(r.Context(), "salary"); got != "" {
					t.Errorf("the other application's %q came along", got)
				}
				return nil
			})
			if err != nil || len(w.keys()) != 2 {
				t.Errorf("%d items with tokens, %v", len(w.keys()), err)
			}
		})
	}
}

// put puts something into the session of a browser.
func put(b *browser, name, value string) {
	b.Helper()
	_ = b.with(func(r *http.Request, _ *web.Session) error {
		b.site.app.Sessions().Put(r.Context(), name, value)
		return nil
	})
}

// stored are the sessions that are stored, by id.
func (w *world) stored() map[string][]byte {
	w.Helper()
	all, err := w.store.(scs.IterableStore).All()
	if err != nil {
		w.Fatal(err)
	}
	return all
}
