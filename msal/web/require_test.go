package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal/web"
)

// become gives a person other claims, which the fake's ID tokens don't have.
func (b *browser) become(claims string) {
	b.Helper()
	err := b.with(func(r *http.Request, s *web.Session) error {
		record := s.Record()
		record.Claims = json.RawMessage(claims)
		text, err := json.Marshal(record)
		b.site.app.Sessions().Put(r.Context(), web.RecordName, string(text))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	b.signIn(w, "/user/login", alice)
	for _, c := range []struct {
		name, claims string
		check        web.Check
		want         error
	}{
		{"signed in", `{}`, web.SignedIn, nil},
		{"group", `{"groups":["g1","g2"]}`, web.Group("g2", "g3"), nil},
		{"another group", `{"groups":["g1"]}`, web.Group("g2"), web.ErrForbidden},
		{"no groups", `{}`, web.Group("g2"), web.ErrForbidden},
		{"group that is no list", `{"groups":"g2"}`, web.Group("g2"), web.ErrForbidden},
		{"group in other letter case", `{"groups":["G2"]}`, web.Group("g2"), web.ErrForbidden},
		{"group without a name", `{"groups":[""]}`, web.Group(), web.ErrForbidden},
		{"too many groups", `{"_claim_names":{"groups":"src1"}}`, web.Group("g2"), web.ErrForbidden},
		{"role", `{"roles":["Admin"]}`, web.Role("Admin"), nil},
		{"another role", `{"roles":["Reader"],"groups":["Admin"]}`, web.Role("Admin"), web.ErrForbidden},
		{"domain", `{"tid":"t","preferred_username":"a@Contoso.Example"}`, web.EmailDomain("fabrikam.example", "contoso.example"), nil},
		{"another domain", `{"tid":"t","preferred_username":"a@evil.example"}`, web.EmailDomain("contoso.example"), web.ErrForbidden},
		{"subdomain", `{"tid":"t","preferred_username":"a@x.contoso.example"}`, web.EmailDomain("contoso.example"), web.ErrForbidden},
		{"longer domain", `{"tid":"t","preferred_username":"a@contoso.example.evil"}`, web.EmailDomain("contoso.example"), web.ErrForbidden},
		{"two at signs", `{"tid":"t","preferred_username":"a@contoso.example@evil.example"}`, web.EmailDomain("contoso.example"), web.ErrForbidden},
		{"no at sign", `{"tid":"t","preferred_username":"contoso.example"}`, web.EmailDomain("contoso.example"), web.ErrForbidden},
		{"only a domain", `{"tid":"t","preferred_username":"@contoso.example"}`, web.EmailDomain("contoso.example"), web.ErrForbidden},
		{"an address that anybody can set", `{"tid":"t","email":"a@contoso.example","preferred_username":"a@evil.example"}`, web.EmailDomain("contoso.example"), web.ErrForbidden},
		{"a verified address", `{"tid":"t","email":"a@contoso.example","xms_edov":true,"preferred_username":"x"}`, web.EmailDomain("contoso.example"), nil},
		{"a verified address elsewhere", `{"email":"a@contoso.example","email_verified":true}`, web.EmailDomain("contoso.example"), nil},
		{"one that isn't verified", `{"email":"a@contoso.example","email_verified":false,"xms_edov":"0"}`, web.EmailDomain("contoso.example"), web.ErrForbidden},
		{"a personal account", `{"tid":"9188040d-6c67-4c5b-b112-36a304b66dad","preferred_username":"a@contoso.example"}`, web.EmailDomain("contoso.example"), web.ErrForbidden},
		{"authentication context", `{"acrs":["c1","c2"]}`, web.AuthContext("c2"), nil},
		{"no authentication context", `{"acrs":["c1"]}`, web.AuthContext("c2"), web.ErrSignIn},
		{"any, the second", `{"groups":["g1"]}`, web.Any(web.Role("Admin"), web.Group("g1")), nil},
		{"any, none", `{"groups":["g1"]}`, web.Any(web.Role("Admin"), web.Group("g2")), web.ErrForbidden},
		{"any of nothing", `{}`, web.Any(), web.ErrForbidden},
	} {
		t.Run("W9 "+c.name, func(t *testing.T) {
			b.become(c.claims)
			err := b.with(func(_ *http.Request, s *web.Session) error { return c.check(s) })
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if more, ok := errors.AsType[*web.ClaimsError](err); ok && more.Claims != `{"id_token":{"acrs":{"essential":true,"value":"c2"}}}` {
				t.Error(more.Claims)
			}
		})
	}
}

func TestRequire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	hello := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { fmt.Fprint(rw, "hello ", s.app.Session(r).Email()) })
	s.mux.Handle("/orders", s.app.Require()(hello))
	s.mux.Handle("/admin", s.app.Require(web.SignedIn, web.Role("Admin"))(hello))
	s.mux.Handle("/safe", s.app.Require(web.AuthContext("c1"))(hello))
	s.mux.Handle("/v1/", http.StripPrefix("/v1", s.app.Require()(hello)))
	b := w.browser(s)
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	check := func(name, method, path string, h http.Header, status int, want string) {
		t.Run("W9 "+name, func(t *testing.T) {
			r := b.request(t.Context(), method, path, nil)
			r.Header = h
			a := b.do(r)
			got := a.Header.Get("Location") + a.Header.Get("WWW-Authenticate") + a.body
			if a.StatusCode != status || !strings.Contains(got, want) {
				t.Errorf("status %d: %s", a.StatusCode, got)
			}
			if (a.StatusCode == http.StatusUnauthorized) != (a.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate is %q", a.Header.Get("WWW-Authenticate"))
			}
		})
	}
	html, js := header("Accept", "text/html"), header("Accept", "application/json")
	check("page", http.MethodGet, "/orders?page=2", html, http.StatusSeeOther, "/user/login?to=%2Forders%3Fpage%3D2")
	check("page behind a router", http.MethodGet, "/v1/orders", html, http.StatusSeeOther, "/user/login?to=%2Fv1%2Forders")
	check("navigation", http.MethodGet, "/orders", header("Accept", "*/*", "Sec-Fetch-Mode", "navigate"), http.StatusSeeOther, "/user/login?to=%2Forders")
	check("fetch", http.MethodGet, "/orders", header("Accept", "text/html", "Sec-Fetch-Mode", "cors"), http.StatusUnauthorized, "authorization_uri=")
	check("XMLHttpRequest", http.MethodGet, "/orders", header("Accept", "text/html", "X-Requested-With", "XMLHttpRequest"), http.StatusUnauthorized, "Bearer realm")
	check("program", http.MethodGet, "/orders", js, http.StatusUnauthorized, `"login":"/user/login"`)
	check("form", http.MethodPost, "/orders", html, http.StatusUnauthorized, "was not processed")
	check("method of a program", http.MethodDelete, "/orders", js, http.StatusUnauthorized, `"error":"Please sign in"`)
	check("photo of nobody", http.MethodGet, "/user/photo", header("Accept", "image/*", "Sec-Fetch-Mode", "no-cors"), http.StatusUnauthorized, "Bearer")
	b.signIn(w, "/user/login", alice)
	check("signed in", http.MethodGet, "/orders", html, http.StatusOK, "hello "+alice)
	check("not allowed", http.MethodGet, "/admin", html, http.StatusForbidden, "have access")
	check("not allowed, for a program", http.MethodGet, "/admin", js, http.StatusForbidden, `{"error":"You don't have access"}`)
	check("needs more", http.MethodGet, "/safe", html, http.StatusSeeOther, "/user/login?to=%2Fsafe")
	check("needs more, for a program", http.MethodGet, "/safe", js, http.StatusUnauthorized, `error="insufficient_claims"`)
	b.become(`{"roles":["Admin"]}`)
	check("allowed", http.MethodGet, "/admin", html, http.StatusOK, "hello")
}
