package main

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/msalext/msalext/msal/web"
)

// app is the pages, around what signs people in.
type app struct {
	web     *web.App
	kept    *stores
	pretend bool
	pages   templates
	policy  string
}

func newApp(s *settings, p *provider, kept *stores) (*app, error) {
	c, pages := s.web, parse(p.pretend)
	c.Tokens, c.Store, c.Page = kept.tokens, kept.sessions, pages.Lookup("message.tmpl")
	signedIn, err := web.New(c)
	if err != nil {
		return nil, err
	}
	authority, err := url.Parse(c.Authority)
	if err != nil {
		return nil, err
	}
	// Signing out is a form that leads to the identity provider.
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' " +
		authority.Scheme + "://" + authority.Host
	return &app{signedIn, kept, p.pretend, pages, policy}, nil
}

// handler keeps assets out of Wrap: caches that many share may keep them, and an
// answer that Wrap is around can bring a session's cookie.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /style.css", asset)
	mux.HandleFunc("GET /page.js", asset)
	mux.HandleFunc("GET /icon.svg", asset)
	mux.Handle("/", a.web.Wrap(a.views()))
	return a.headers(mux)
}

// views are what differs with who is signed in.
func (a *app) views() http.Handler {
	signedIn := a.web.Require(web.SignedIn)
	mux := http.NewServeMux()
	mux.Handle("/user/", a.web.Handler())
	mux.HandleFunc("GET /{$}", a.home)
	mux.Handle("GET /me", signedIn(http.HandlerFunc(a.me)))
	mux.Handle("GET /sessions", signedIn(http.HandlerFunc(a.sessions)))
	mux.Handle("POST /sessions/end", signedIn(a.form(a.endSession)))
	mux.Handle("POST /sessions/everywhere", signedIn(a.form(a.everywhere)))
	mux.Handle("GET /api/me", signedIn(http.HandlerFunc(a.apiMe)))
	mux.HandleFunc("/", a.missing)
	return mux
}

// headers are for all pages. The pages of package web come through here as well.
func (a *app) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", a.policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// maxForm is far above what the forms have.
const maxForm = 16 << 10

// form lets forms through that come from a page of this session.
func (a *app) form(next func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		err := web.ErrForbidden
		if a.web.Session(r).CheckCSRF(r) {
			err = next(w, r)
		}
		if err != nil {
			a.web.Deny(w, r, err)
		}
	})
}

// orNone tells an answer of Microsoft Graph that is missing from one that failed.
func orNone[T any](v T, err error) (T, bool, error) {
	if errors.Is(err, web.ErrNoSuch) {
		return v, false, nil
	}
	return v, err == nil, err
}
