package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestRedirects: wherever a link wants to lead people after a sign-in or a
// sign-out, they stay here.
func TestRedirects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.serve(nil)
	for _, target := range tricky {
		for name, path := range map[string]string{
			"parameter": "/user/login?" + url.Values{"to": {target}}.Encode(),
			"segment":   "/user/login/" + url.PathEscape(target),
			"sign-out":  "/user/logout/" + url.PathEscape(target),
		} {
			t.Run("W10 W12 "+name+" "+target, func(t *testing.T) {
				t.Parallel()
				b := w.browser(s)
				b.T = t
				var to string
				if name == "sign-out" {
					to = b.post(path, url.Values{}).Header.Get("Location")
				} else {
					to = b.signIn(w, path, alice).Header.Get("Location")
				}
				if name == "parameter" && to != "/" {
					t.Errorf("%q was kept", to)
				}
				if leads := whereTo(t, s.URL, to); leads != s.URL {
					t.Errorf("%q leads to %s", to, leads)
				}
			})
		}
	}
}

var tricky = []string{
	"//evil.example", "///evil.example", "////evil.example/", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example",
	"//evil.example\\@shop.example", "https://evil.example", "https:evil.example", "https:/evil.example", "https:\\\\evil.example", "HTTPS://EVIL.EXAMPLE",
	"http://evil.example", "//user@evil.example", "//user:pass@evil.example", "https://shop.example@evil.example", "javascript:alert(1)",
	"JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd",
	"\t//evil.example", "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/\x00/evil.example", "\x01//evil.example", "/\u00a0/../../evil.example",
	"%2f%2fevil.example", "/%2fevil.example", "/%2F%2Fevil.example", "/%5cevil.example", "/%5C%5Cevil.example", "%5c%5cevil.example", "/%09/evil.example",
	"/%0d%0aLocation:%20https://evil.example", "/a\r\nSet-Cookie: x=y", "/a%0d%0aSet-Cookie:%20x=y", "/./\\evil.example", "/.//evil.example", "/..//evil.example",
	"/a/..//evil.example", "/%2e%2e//evil.example", "/\u200b/evil.example", "/\u202e/evil.example", "\ufeff//evil.example", "/\u2028/evil.example",
	"?//evil.example", "#//evil.example", "evil.example", "@evil.example", ":80", "//[::1]", "//localhost:1", "/user/logout", "/user/login?to=//evil.example",
	"/" + strings.Repeat("a", 5000), "/\xff\xfe", "/?next=//evil.example\\", "/a?b=\r\nx", "ftp://evil.example", "///", "//", "/%", "http://%zz",
}

// whereTo is the origin that a browser goes to, by what the URL Standard says of
// base URLs that are https: characters that are left out, slashes that count as
// such, and hosts that begin with two of them.
func whereTo(t *testing.T, base, location string) string {
	t.Helper()
	text := strings.TrimFunc(location, func(r rune) bool { return r <= ' ' })
	text = strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(text)
	if text != location {
		t.Errorf("%q has to be tidied", location)
	}
	if !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") {
		return "another place: " + text
	}
	to, err := mustURL(t, base).Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return to.Scheme + "://" + to.Host
}

// TestRedirectsKeep: what is right isn't changed.
func TestRedirectsKeep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	for _, target := range []string{
		"/", "/orders", "/orders/7/", "/orders?page=2&sort=a%20b", "/a%2Fb", "/über/straße", "/a?to=https%3A%2F%2Fother.example", "/users/login", "/user/info",
		"/a:b", "/a;b=c", "/%25", "/a?x=%0d", "/search?q=a+b",
	} {
		got := b.signIn(w, "/user/login?"+url.Values{"to": {target}}.Encode(), alice).Header.Get("Location")
		if same(t, got) != same(t, target) {
			t.Errorf("%q became %q", target, got)
		}
	}
}

func same(t *testing.T, text string) string {
	t.Helper()
	u := mustURL(t, text)
	return u.Path + "?" + u.RawQuery
}

// TestHeaderInjection: nothing that a request has becomes a header field.
func TestHeaderInjection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	for _, text := range []string{"x\r\nX-Evil: 1", "x\nX-Evil: 1", "x\rX-Evil: 1", "x%0d%0aX-Evil:%201", "x\u010d\u010aX-Evil: 1"} {
		query := url.Values{"to": {"/" + text}, "login_hint": {text}, "prompt": {text}}.Encode()
		for _, a := range []answer{
			b.get("/user/login?" + query), b.get("/user/login/" + url.PathEscape(text)), b.get("/user/logout/" + url.PathEscape(text)),
			b.get("/user/authorized?" + url.Values{"state": {text}, "error": {text}, "error_description": {text}, "iss": {text}}.Encode()),
			b.post("/user/authorized", url.Values{"state": {text}, "code": {text}}),
		} {
			if a.Header.Get("X-Evil") != "" || a.StatusCode >= http.StatusInternalServerError {
				t.Errorf("%q: status %d, %v", text, a.StatusCode, a.Header)
			}
			for name, values := range a.Header {
				if strings.ContainsAny(strings.Join(values, ""), "\r\n") {
					t.Errorf("%q: %s", text, name)
				}
			}
		}
	}
}
