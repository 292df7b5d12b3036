package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal/web"
)

func TestExpiredFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	for name, c := range map[string]struct {
		by     time.Duration
		status int
	}{"W11 after nine minutes": {9 * time.Minute, http.StatusSeeOther}, "W11 after eleven": {11 * time.Minute, http.StatusBadRequest}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := w.browser(s)
			form := b.approve(w, b.begin("/user/login/orders"), alice)
			r := b.request(t.Context(), http.MethodGet, "/", nil)
			for _, cookie := range b.jar.Cookies(r.URL) {
				r.AddCookie(cookie)
			}
			aged, err := s.app.Aged(r, form.Get("state"), c.by)
			if err != nil {
				t.Fatal(err)
			}
			b.jar.SetCookies(r.URL, []*http.Cookie{aged})
			a := b.fromEntra(form)
			if a.StatusCode != c.status {
				t.Fatalf("status %d: %s", a.StatusCode, a.body)
			}
			if c.status == http.StatusBadRequest && (!strings.Contains(a.body, "too long") || !strings.Contains(a.body, "to=%2Forders")) {
				t.Error(a.body)
			}
		})
	}
}

// TestUsedStatesAreBounded: those that can't be sent any more go, and then the
// oldest.
func TestUsedStatesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	app := w.serve(func(c *web.Config) {}).app
	app.UseStates(40_000, time.Now().Add(time.Hour))
	if n := app.UsedStates(); n > 1<<14 {
		t.Errorf("%d states", n)
	}
	other := w.serve(nil).app
	other.UseStates(1000, time.Now().Add(-time.Second))
	if n := other.UsedStates(); n > 1 {
		t.Errorf("%d states that expired", n)
	}
}
