package web_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

var hiddenField = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

// csrf is what the page of the sign-out carries.
func (b *browser) csrf() string {
	b.Helper()
	found := hiddenField.FindStringSubmatch(b.get("/user/logout").body)
	if found == nil {
		b.Fatal("no field in the page")
	}
	return html.UnescapeString(found[1])
}

func (b *browser) signOut() answer {
	b.Helper()
	return b.post("/user/logout", url.Values{web.CSRFField: {b.csrf()}})
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	b.signIn(w, "/user/login", alice)
	kept := b.cookie(sessionCookie)
	page := b.get("/user/logout/bye")
	t.Run("W12 GET only asks", func(t *testing.T) {
		if page.StatusCode != http.StatusOK || !b.info().Authenticated || !strings.Contains(page.body, `action="/user/logout/bye"`) {
			t.Errorf("status %d: %s", page.StatusCode, page.body)
		}
		if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' "+w.entra.URL()+";") {
			t.Errorf("browsers would not follow to the identity provider: %s", policy)
		}
	})
	token := b.csrf()
	t.Run("W12 forged", func(t *testing.T) {
		other := w.browser(b.site)
		other.signIn(w, "/user/login", bob)
		for name, form := range map[string]url.Values{"nothing": {}, "empty": {web.CSRFField: {""}}, "a guess": {web.CSRFField: {"guess"}},
			"another session's": {web.CSRFField: {other.csrf()}}, "oversized": {"x": {strings.Repeat("a", 1<<20)}, web.CSRFField: {token}}} {
			if a := b.post("/user/logout", form); a.StatusCode != http.StatusForbidden || !b.info().Authenticated {
				t.Errorf("%s: status %d", name, a.StatusCode)
			}
		}
		if a := b.post("/user/logout?"+web.CSRFField+"="+token, url.Values{}); a.StatusCode != http.StatusForbidden {
			t.Errorf("in the query: status %d", a.StatusCode)
		}
	})
	a := b.post("/user/logout/bye", url.Values{web.CSRFField: {token}})
	t.Run("W12 at the identity provider", func(t *testing.T) {
		to := mustURL(t, a.Header.Get("Location"))
		if a.StatusCode != http.StatusSeeOther || to.Scheme+"://"+to.Host != w.entra.URL() || to.Query().Get("post_logout_redirect_uri") != b.site.URL+"/bye" || to.Query().Get("client_id") != "web-app" {
			t.Errorf("status %d to %s", a.StatusCode, to)
		}
		if back := b.get(to.String()); back.Header.Get("Location") != b.site.URL+"/bye" {
			t.Errorf("the identity provider leads to %q", back.Header.Get("Location"))
		}
		if n := w.entra.Count(msaltest.KindLogout); n != 1 {
			t.Errorf("%d requests for a sign-out", n)
		}
	})
	t.Run("W12 nothing is left", func(t *testing.T) {
		if b.cookie(sessionCookie) != "" || len(w.keys()) != 1 { // bob's
			t.Errorf("%d token items", len(w.keys()))
		}
		b.plant(kept)
		if b.info().Authenticated {
			t.Error("the kept cookie is still good")
		}
	})
	t.Run("W12 signed out already", func(t *testing.T) {
		if a := b.post("/user/logout/bye", url.Values{}); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/bye" {
			t.Errorf("status %d to %q", a.StatusCode, a.Header.Get("Location"))
		}
		if a := b.get("/user/logout"); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "You are signed out") {
			t.Errorf("status %d: %s", a.StatusCode, a.body)
		}
	})
}

// TestSignOutWithoutProvider: who wants to leave leaves, whoever is away.
func TestSignOutWithoutProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	away := &away{next: w.entra.Client().Transport}
	s := w.serve(func(c *web.Config) { c.HTTPClient = &http.Client{Transport: away} })
	b := w.browser(s)
	b.signIn(w, "/user/login", alice)
	second := w.serve(func(c *web.Config) {
		c.BaseURL, c.HTTPClient = s.URL, &http.Client{Transport: away} // it hasn't asked the provider anything yet
	})
	b.transfer(s, second)
	away.gone.Store(true)
	if a := b.signOut(); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/" || b.info().Authenticated {
		t.Errorf("status %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	if a := b.get("/user/login"); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "right now") {
		t.Errorf("a sign-in: status %d", a.StatusCode)
	}
}

func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	laptop, phone, other := w.browser(s), w.browser(s), w.browser(s)
	laptop.signIn(w, "/user/login", alice)
	phone.signIn(w, "/user/login", alice)
	other.signIn(w, "/user/login", bob)
	var account string
	for stored, err := range s.app.Each(t.Context()) {
		if err != nil || !strings.HasPrefix(stored.Record.TokenKey, web.TokenPrefix) || stored.Deadline.IsZero() {
			t.Errorf("%+v, %v", stored, err)
		}
		if stored.Record.Email == alice {
			account = stored.Record.Account
		}
	}
	if n, err := s.app.SignOutEverywhere(t.Context(), account); n != 2 || err != nil {
		t.Errorf("W20: %d sessions ended, %v", n, err)
	}
	if laptop.info().Authenticated || phone.info().Authenticated || !other.info().Authenticated || len(w.keys()) != 1 {
		t.Errorf("%d token items", len(w.keys()))
	}
}
