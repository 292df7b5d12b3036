package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

// TestAnswersRefused: what a browser may bring to the redirect URI that isn't the
// answer to its own sign-in signs nobody in, and says so to people.
func TestAnswersRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(form url.Values)
		status int
		says   string
	}{
		{"cancelled", func(f url.Values) { f.Del("code"); f.Set("error", "access_denied") }, http.StatusForbidden, "cancelled"},
		{"cancelled, with a text of the sender's", func(f url.Values) {
			f.Del("code")
			f.Set("error", "access_denied")
			f.Set("error_description", "AADSTS65004: <script>alert(1)</script> call 555-0100")
		}, http.StatusForbidden, "AADSTS65004"},
		{"refused", func(f url.Values) { f.Del("code"); f.Set("error", "invalid_scope") }, http.StatusBadGateway, "did not let"},
		{"busy", func(f url.Values) { f.Del("code"); f.Set("error", "temporarily_unavailable") }, http.StatusServiceUnavailable, "right now"},
		{"another code", func(f url.Values) { f.Set("code", "0.guess") }, http.StatusBadGateway, "did not let"},
		{"two codes", func(f url.Values) { f.Add("code", "0.guess") }, http.StatusBadRequest, "finished"},
		{"two states", func(f url.Values) { f.Add("state", "x") }, http.StatusBadRequest, "finished"},
		{"no code", func(f url.Values) { f.Del("code") }, http.StatusBadRequest, "finished"},
		{"no state", func(f url.Values) { f.Del("state") }, http.StatusBadRequest, "another browser"},
		{"another state", func(f url.Values) { f.Set("state", "guess") }, http.StatusBadRequest, "another browser"},
		{"mix-up: another issuer", func(f url.Values) { f.Set("iss", "https://evil.example") }, http.StatusBadRequest, "finished"},
		{"mix-up: two issuers", func(f url.Values) { f["iss"] = []string{"https://evil.example", f.Get("iss")} }, http.StatusBadRequest, "finished"},
		{"mix-up: an empty issuer", func(f url.Values) { f.Set("iss", "") }, http.StatusBadRequest, "finished"},
	} {
		t.Run("W11 "+c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			b := w.browser(w.serve(nil))
			form := b.approve(w, b.begin("/user/login/orders"), alice)
			c.change(form)
			a := b.fromEntra(form)
			if a.StatusCode != c.status || !strings.Contains(a.body, c.says) || !strings.Contains(a.body, "<h1>") {
				t.Errorf("status %d: %s", a.StatusCode, a.body)
			}
			if strings.Contains(a.body, "<script>") || strings.Contains(a.body, "555-0100") {
				t.Errorf("the sender's text is shown: %s", a.body)
			}
			if b.info().Authenticated || len(w.keys()) != 0 || b.cookie(sessionCookie) != "" {
				t.Error("something is left of it")
			}
		})
	}
}

func TestIssuerOfTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	form := b.approve(w, b.begin("/user/login"), alice)
	form.Set("iss", w.entra.URL()+"/"+msaltest.TenantID("contoso.example")+"/v2.0")
	if a := b.fromEntra(form); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the right issuer: status %d: %s", a.StatusCode, a.body)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	b := w.browser(s)
	authURL := b.begin("/user/login/orders")
	before := b.jar.Cookies(mustURL(t, s.URL))
	form := b.approve(w, authURL, alice)
	b.fromEntra(form)
	t.Run("W11 back button", func(t *testing.T) {
		if a := b.fromEntra(form); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "already used") || !b.info().Authenticated {
			t.Errorf("status %d: %s", a.StatusCode, a.body)
		}
	})
	t.Run("W11 cookies that were kept", func(t *testing.T) {
		thief := w.browser(s)
		thief.jar.SetCookies(mustURL(t, s.URL), secured(before))
		if a := thief.fromEntra(form); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, `href="/orders"`) {
			t.Errorf("status %d: %s", a.StatusCode, a.body)
		}
		if thief.info().Authenticated {
			t.Error("signed in")
		}
	})
	t.Run("W11 at another server", func(t *testing.T) {
		second := w.serve(func(c *web.Config) { c.BaseURL = s.URL })
		thief := w.browser(second)
		thief.jar.SetCookies(mustURL(t, second.URL), secured(before))
		if a := thief.fromEntra(form); a.StatusCode != http.StatusBadGateway || thief.info().Authenticated {
			t.Errorf("status %d: %s", a.StatusCode, a.body)
		}
	})
	t.Run("W11 another browser's answer", func(t *testing.T) {
		victim := w.browser(s)
		victim.begin("/user/login")
		attacker := w.browser(s)
		answer := attacker.approve(w, attacker.begin("/user/login"), bob)
		if a := victim.fromEntra(answer); a.StatusCode != http.StatusBadRequest || victim.info().Authenticated {
			t.Errorf("login CSRF: status %d", a.StatusCode)
		}
	})
	if n := len(w.keys()); n != 1 {
		t.Errorf("%d token items", n)
	}
}

// TestDoubleSubmit: of two that come at once, one signs in.
func TestDoubleSubmit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	form := b.approve(w, b.begin("/user/login"), alice)
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			a := b.fromEntra(form)
			mu.Lock()
			defer mu.Unlock()
			statuses[a.StatusCode]++
		})
	}
	wg.Wait()
	rest := slices.Collect(maps.Keys(statuses))
	if statuses[http.StatusSeeOther] != 1 {
		t.Errorf("statuses %v (%v)", statuses, rest)
	}
	if n := len(w.keys()); n != 1 || b.info().Email != alice {
		t.Errorf("%d token items, %+v", n, b.info())
	}
}

func TestFlowCookieIsSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	for name, change := range map[string]func(string) string{
		"cut":        func(v string) string { return v[:len(v)-4] },
		"empty":      func(string) string { return "" },
		"changed":    func(v string) string { return flip(v, len(v)/2) },
		"not base64": func(v string) string { return "!" + v },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := w.browser(s)
			form := b.approve(w, b.begin("/user/login"), alice)
			cookies := secured(b.jar.Cookies(mustURL(t, s.URL)))
			cookies[0].Value = change(cookies[0].Value)
			b.jar.SetCookies(mustURL(t, s.URL), cookies)
			if a := b.fromEntra(form); a.StatusCode != http.StatusBadRequest {
				t.Errorf("status %d", a.StatusCode)
			}
		})
	}
	t.Run("another application's", func(t *testing.T) {
		t.Parallel()
		other := w.serve(func(c *web.Config) { c.ClientID = "another" })
		b := w.browser(other)
		form := b.approve(w, b.begin("/user/login"), alice)
		b.transfer(other, s)
		if a := b.fromEntra(form); a.StatusCode != http.StatusBadRequest {
			t.Errorf("status %d", a.StatusCode)
		}
	})
	t.Run("says nothing", func(t *testing.T) {
		t.Parallel()
		b := w.browser(s)
		state := mustURL(t, b.begin("/user/login/orders")).Query().Get("state")
		for _, cookie := range b.jar.Cookies(mustURL(t, s.URL)) {
			if strings.Contains(cookie.Name+cookie.Value, state) {
				t.Errorf("%s has the state", cookie.Name)
			}
		}
	})
}

func flip(text string, at int) string {
	c := byte('A')
	if text[at] == c {
		c = 'B'
	}
	return text[:at] + string(c) + text[at+1:]
}

// TestFlowKey: the key may be deleted, which ends the flows that were begun.
func TestFlowKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	first := w.serve(nil)
	b := w.browser(first)
	form := b.approve(w, b.begin("/user/login"), alice)
	if err := w.tokens.Key("web/flow-key").Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := w.serve(func(c *web.Config) { c.BaseURL = first.URL })
	b.transfer(first, second)
	if a := b.fromEntra(form); a.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", a.StatusCode)
	}
	form = b.approve(w, b.begin("/user/login"), alice)
	deadline := time.Now().Add(20 * time.Second)
	for b.transfer(second, first); ; { // it has the old key, and notices
		a := b.fromEntra(form)
		if a.StatusCode == http.StatusSeeOther {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("status %d", a.StatusCode)
		}
	}
}
