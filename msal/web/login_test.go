package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"form_post", "query"} {
		t.Run("W10 W11 "+mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			s := w.serve(func(c *web.Config) { c.ResponseMode = mode })
			b := w.browser(s)
			authURL := b.begin("/user/login/orders/7")
			if got := mustURL(t, authURL).Query().Get("response_mode"); got != mode {
				t.Errorf("response_mode is %q", got)
			}
			form := b.approve(w, authURL, alice)
			var a answer
			if mode == "query" {
				a = b.get("/user/authorized?" + form.Encode())
			} else {
				a = b.fromEntra(form)
			}
			if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/orders/7" {
				t.Fatalf("status %d to %q\n%s", a.StatusCode, a.Header.Get("Location"), a.body)
			}
			if info := b.info(); !info.Authenticated || info.Email != alice {
				t.Errorf("%+v", info)
			}
			for _, cookie := range b.jar.Cookies(mustURL(t, s.URL)) {
				if strings.Contains(cookie.Name, "-flow-") {
					t.Errorf("%s is left", cookie.Name)
				}
			}
			if n := len(w.keys()); n != 1 {
				t.Errorf("%d token items", n)
			}
		})
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestSignInPassesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	query := mustURL(t, b.begin("/user/login?"+url.Values{"login_hint": {alice}, "prompt": {"select_account"}, "claims": {"{}"}, "redirect_uri": {"https://evil.example"}}.Encode())).Query()
	t.Run("W3", func(t *testing.T) {
		for name, want := range map[string]string{
			"login_hint": alice, "prompt": "select_account", "claims": "", "redirect_uri": b.site.URL + "/user/authorized", "code_challenge_method": "S256",
			"scope": "User.Read offline_access openid profile",
		} {
			if got := query.Get(name); got != want {
				t.Errorf("%s is %q, not %q", name, got, want)
			}
		}
	})
	for _, bad := range []string{"prompt=none", "prompt=consent", "login_hint=" + strings.Repeat("a", 400), "login_hint=a%0d%0ab"} {
		if query := mustURL(t, b.begin("/user/login?"+bad)).Query(); query.Get("prompt")+query.Get("login_hint") != "" {
			t.Errorf("%s was passed on", bad)
		}
	}
}

// TestSeveralTabs: sign-ins that were begun in several tabs can be finished in any
// order, and where there are many the first is given up.
func TestSeveralTabs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	var forms []url.Values
	for i := range 6 {
		forms = append(forms, b.approve(w, b.begin(fmt.Sprintf("/user/login/tab/%d", i)), alice))
	}
	for _, i := range []int{5, 1, 3, 2, 4} {
		if a := b.fromEntra(forms[i]); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != fmt.Sprintf("/tab/%d", i) {
			t.Errorf("tab %d: status %d to %q", i, a.StatusCode, a.Header.Get("Location"))
		}
	}
	if a := b.fromEntra(forms[0]); a.StatusCode != http.StatusBadRequest {
		t.Errorf("the first of six: status %d", a.StatusCode)
	}
}

// TestSignInAgain: the earlier session and its tokens are gone, and its data is
// there as long as it is the same person's.
func TestSignInAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	s.page("/cart", func(rw http.ResponseWriter, r *http.Request, _ *web.Session) {
		if add := r.URL.Query().Get("add"); add != "" {
			s.app.Sessions().Put(r.Context(), "cart", add)
		}
		fmt.Fprint(rw, s.app.Sessions().GetString(r.Context(), "cart"))
	})
	b := w.browser(s)
	b.get("/cart?add=shoes")
	for _, who := range []struct{ name, cart string }{{alice, "shoes"}, {alice, "shoes"}, {bob, ""}} {
		b.signIn(w, "/user/login", who.name)
		if cart := b.get("/cart").body; cart != who.cart || b.info().Email != who.name {
			t.Errorf("%s finds %q", who.name, cart)
		}
		if n := len(w.keys()); n != 1 {
			t.Errorf("%d token items", n)
		}
	}
}

// TestAnotherServerFinishes: no server needs to have begun what it finishes.
func TestAnotherServerFinishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	first := w.serve(nil)
	second := w.serve(func(c *web.Config) { c.BaseURL = first.URL })
	b := w.browser(first)
	form := b.approve(w, b.begin("/user/login"), alice)
	b.transfer(first, second)
	if a := b.fromEntra(form); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d: %s", a.StatusCode, a.body)
	}
	if info := b.info(); info.Email != alice {
		t.Errorf("%+v", info)
	}
}

// transfer takes the cookies to another server, which stands for one name with
// several machines behind it.
func (b *browser) transfer(from, to *site) {
	b.Helper()
	b.jar.SetCookies(mustURL(b.T, to.URL), secured(b.jar.Cookies(mustURL(b.T, from.URL))))
	b.site = to
}

func secured(cookies []*http.Cookie) []*http.Cookie {
	for _, cookie := range cookies {
		cookie.Secure, cookie.Path = true, "/"
	}
	return cookies
}

func TestOnLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.entra.AddUser(msaltest.User{Username: alice, Name: "Alice A", Manager: bob})
	refusal := errors.New("not on the list")
	var s *site
	s = w.serve(func(c *web.Config) {
		c.OnLogin = append(c.OnLogin, func(ctx context.Context, session *web.Session) error {
			if session.Email() == bob {
				return fmt.Errorf("%w: %w", web.ErrForbidden, refusal)
			}
			boss, err := session.Graph().Manager(ctx)
			s.app.Sessions().Put(ctx, "manager", boss.Mail)
			return err
		})
	})
	s.page("/manager", func(rw http.ResponseWriter, r *http.Request, _ *web.Session) {
		fmt.Fprint(rw, s.app.Sessions().GetString(r.Context(), "manager"))
	})
	t.Run("W8 its data stays", func(t *testing.T) {
		b := w.browser(s)
		b.signIn(w, "/user/login", alice)
		if a := b.get("/manager"); a.body != bob {
			t.Errorf("the manager is %q", a.body)
		}
	})
	t.Run("W8 it refuses", func(t *testing.T) {
		b := w.browser(s)
		a := b.fromEntra(b.approve(w, b.begin("/user/login"), bob))
		if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "have access") {
			t.Errorf("status %d: %s", a.StatusCode, a.body)
		}
		if b.info().Authenticated {
			t.Error("signed in all the same")
		}
		if n := len(w.keys()); n != 1 {
			t.Errorf("%d token items, and alice's is one", n)
		}
	})
}

func TestTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{Tenant: "common"})
	b := w.browser(w.serve(func(c *web.Config) { c.Tenants = []string{strings.ToUpper(msaltest.TenantID("contoso.example"))} }))
	b.signIn(w, "/user/login", alice)
	other := w.browser(b.site)
	if a := other.fromEntra(other.approve(w, other.begin("/user/login"), bob)); a.StatusCode != http.StatusForbidden {
		t.Errorf("a stranger's tenant: status %d", a.StatusCode)
	}
	if n := len(w.keys()); n != 1 {
		t.Errorf("%d token items", n)
	}
}
