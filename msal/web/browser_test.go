package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/msalext/msalext/msal/web"
)

// browser keeps cookies as browsers do, and doesn't follow redirects.
type browser struct {
	*testing.T

	client *http.Client
	jar    *cookiejar.Jar
	site   *site
}

func (w *world) browser(s *site) *browser {
	w.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	return &browser{T: w.T, jar: jar, site: s, client: &http.Client{
		Jar: jar, Transport: sameSite{s.network},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type crossSite struct{}

// sameSite leaves out SameSite=Lax cookies of a form that another site sends,
// which Go's cookie jar doesn't.
type sameSite struct{ http.RoundTripper }

func (s sameSite) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Context().Value(crossSite{}) != nil && r.Method == http.MethodPost {
		r = r.Clone(r.Context())
		kept := r.Cookies()
		r.Header.Del("Cookie")
		for _, cookie := range kept {
			if strings.Contains(cookie.Name, "-flow-") {
				r.AddCookie(cookie)
			}
		}
	}
	return s.RoundTripper.RoundTrip(r)
}

// answer is a response, read.
type answer struct {
	*http.Response

	body string
}

func (b *browser) do(r *http.Request) answer {
	b.Helper()
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "text/html,application/xhtml+xml")
	}
	resp, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	return answer{resp, string(body)}
}

func (b *browser) request(ctx context.Context, method, path string, form url.Values) *http.Request {
	b.Helper()
	u, err := url.Parse(b.site.URL)
	if err != nil {
		b.Fatal(err)
	}
	target, err := u.Parse(path)
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, method, target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (b *browser) get(path string) answer {
	b.Helper()
	return b.do(b.request(b.Context(), http.MethodGet, path, nil))
}

func (b *browser) post(path string, form url.Values) answer {
	b.Helper()
	return b.do(b.request(b.Context(), http.MethodPost, path, form))
}

// fromEntra is a form that the identity provider's page sends.
func (b *browser) fromEntra(form url.Values) answer {
	b.Helper()
	return b.do(b.request(context.WithValue(b.Context(), crossSite{}, true), http.MethodPost, "/user/authorized", form))
}

// begin starts a sign-in, and returns where the browser is sent.
func (b *browser) begin(path string) string {
	b.Helper()
	a := b.get(path)
	if a.StatusCode != http.StatusSeeOther {
		b.Fatalf("%s: status %d: %s", path, a.StatusCode, a.body)
	}
	return a.Header.Get("Location")
}

// approve is what the person does at the identity provider.
func (b *browser) approve(w *world, authURL, who string) url.Values {
	b.Helper()
	form, err := w.entra.Authorize(authURL, who)
	if err != nil {
		b.Fatal(err)
	}
	return form
}

// signIn signs somebody in, and returns the last answer.
func (b *browser) signIn(w *world, path, who string) answer {
	b.Helper()
	authURL := b.begin(path)
	form := b.approve(w, authURL, who)
	var a answer
	if mustURL(b.T, authURL).Query().Get("response_mode") == "query" {
		a = b.get("/user/authorized?" + form.Encode())
	} else {
		a = b.fromEntra(form)
	}
	if a.StatusCode != http.StatusSeeOther {
		b.Fatalf("signing in %s: status %d: %s\n%s", who, a.StatusCode, a.body, w.logs)
	}
	return a
}

// info is what /user/info says.
func (b *browser) info() web.Info {
	b.Helper()
	var info web.Info
	if a := b.get("/user/info"); json.Unmarshal([]byte(a.body), &info) != nil {
		b.Fatalf("status %d: %s", a.StatusCode, a.body)
	}
	return info
}

// cookie is what the browser has under a name.
func (b *browser) cookie(name string) string {
	b.Helper()
	u, err := url.Parse(b.site.URL)
	if err != nil {
		b.Fatal(err)
	}
	for _, cookie := range b.jar.Cookies(u) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

var routes atomic.Int64

// with runs fn in a handler, as the person of the browser.
func (b *browser) with(fn func(r *http.Request, s *web.Session) error) error {
	b.Helper()
	var err error
	path := fmt.Sprintf("/route/%d", routes.Add(1))
	b.site.page(path, func(_ http.ResponseWriter, r *http.Request, s *web.Session) { err = fn(r, s) })
	b.get(path)
	return err
}

const sessionCookie = "__Host-session"
