package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal/web"
)

var styles = regexp.MustCompile(`(?s)<style>(.*)</style>`)

// TestPages: every page that a person may meet has a title, a heading, a
// language, one thing to do next, and no script; and its policy allows what is in
// it and nothing else.
func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser(w.serve(nil))
	signedOut := b.get("/user/logout")
	unknown := b.get("/user/authorized?state=x")
	cancelled := b.approve(w, b.begin("/user/login/a%22%3E%3Cb"), "")
	pages := map[string]answer{
		"signed out": signedOut, "unknown": unknown, "strange": b.post("/user/authorized", url.Values{"state": {"a", "b"}}), "cancelled": b.fromEntra(cancelled),
		"form without a session": b.do(func() *http.Request {
			return b.request(t.Context(), http.MethodPost, "/user/photo", url.Values{})
		}()),
	}
	delete(pages, "form without a session") // the router's own
	b.signIn(w, "/user/login", alice)
	pages["sign out"] = b.get("/user/logout")
	pages["forged"] = b.post("/user/logout", url.Values{})
	for name, a := range pages {
		t.Run(name, func(t *testing.T) {
			for _, part := range []string{`<!DOCTYPE html>`, `<html lang="en">`, `<meta name="viewport"`, "<title>", "<main>"} {
				if strings.Count(a.body, part) != 1 {
					t.Errorf("no %s", part)
				}
			}
			if strings.Count(a.body, "<h1>") != 1 || strings.Count(a.body, "<a ")+strings.Count(a.body, "<button>") != 1 {
				t.Errorf("not one heading and one thing to do: %s", a.body)
			}
			if strings.Contains(a.body, "<script") || strings.Contains(a.body, ` style="`) || regexp.MustCompile(`\son\w+=`).MatchString(a.body) || strings.Contains(a.body, "ZgotmplZ") {
				t.Errorf("there is a script in it: %s", a.body)
			}
			sum := sha256.Sum256([]byte(styles.FindStringSubmatch(a.body)[1]))
			policy := a.Header.Get("Content-Security-Policy")
			if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; form-action ") || !strings.HasSuffix(policy, "frame-ancestors 'none'; base-uri 'none'") {
				t.Error(policy)
			}
			for field, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8"} {
				if got := a.Header.Get(field); got != want {
					t.Errorf("%s: %s", field, got)
				}
			}
		})
	}
}

// TestOwnPage: a program has its own pages, and one that can't be made is no
// reason not to answer.
func TestOwnPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	own := template.Must(template.New("").Parse(`<p>Unsere Seite: {{.Title}}`))
	b := w.browser(w.serve(func(c *web.Config) { c.Page = own }))
	if a := b.get("/user/logout"); a.body != "<p>Unsere Seite: You are signed out" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "style-src 'self'") {
		t.Errorf("%s, %v", a.body, a.Header)
	}
	broken := template.Must(template.New("").Parse(`{{.Nothing}}`))
	b = w.browser(w.serve(func(c *web.Config) { c.Page = broken }))
	if a := b.get("/user/authorized?state=x"); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "can't be finished") {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
	var page bytes.Buffer
	if err := own.Execute(&page, web.Page{Title: "<b>"}); err != nil || page.String() != "<p>Unsere Seite: &lt;b&gt;" {
		t.Error(page.String(), err)
	}
}
