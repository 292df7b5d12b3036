package web

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// Require lets requests through that pass all checks, and answers the others as
// [App.Deny] does. Around it there must be an [App.Wrap]. No checks: everybody who
// is signed in.
//
//	admin := app.Require(web.SignedIn, web.Any(web.Role("Admin"), web.Group(id)))
func (a *App) Require(checks ...Check) func(http.Handler) http.Handler {
	if len(checks) == 0 {
		checks = []Check{SignedIn}
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := a.Session(r)
			for _, check := range checks {
				if err := check(s); err != nil {
					a.Deny(w, r, err)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Deny answers a request that failed with err, which a [Check] or a [Session]
// returned.
//
// Who has to sign in ([ErrSignIn]), perhaps with further claims
// ([*ClaimsError]), and asked for a page, is led to the sign-in and back. Other
// requests (fetch, forms, programs) are answered 401 with WWW-Authenticate,
// which has the claims as in
// https://learn.microsoft.com/entra/identity-platform/claims-challenge; the next
// sign-in of that session asks for them. [ErrForbidden] is 403, and everything
// else 502 and logged.
func (a *App) Deny(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, ErrSignIn):
		a.demandSignIn(w, r, err)
	case errors.Is(err, ErrForbidden):
		a.log.InfoContext(r.Context(), "request refused", "err", err)
		a.answer(w, r, http.StatusForbidden, pageForbidden())
	case r.Context().Err() != nil:
		a.log.DebugContext(r.Context(), "request given up by the browser", "err", err)
		a.answer(w, r, http.StatusBadGateway, pageUnavailable())
	default:
		a.log.ErrorContext(r.Context(), "request failed", "err", err)
		a.answer(w, r, http.StatusBadGateway, pageUnavailable())
	}
}

func (a *App) demandSignIn(w http.ResponseWriter, r *http.Request, err error) {
	claims := ""
	if more, ok := errors.AsType[*ClaimsError](err); ok {
		claims = more.Claims
		if a.Session(r).SignedIn() {
			a.sessions.Put(r.Context(), claimsName, claims)
		}
	}
	here := localPath(r.RequestURI) // as the browser knows it, whatever routers made of it
	if wantsPage(r) {
		redirect(w, loginPath(here))
		return
	}
	w.Header().Set("WWW-Authenticate", a.challenge(claims))
	a.answer(w, r, http.StatusUnauthorized, pageSignIn("/"))
}

// challenge is what a program is told (RFC 6750 §3).
func (a *App) challenge(claims string) string {
	fields := []string{`Bearer realm=""`, "authorization_uri=" + strconv.Quote(a.cfg.BaseURL+routes+"login")}
	if claims != "" {
		fields = append(fields, `error="insufficient_claims"`, `claims="`+base64.StdEncoding.EncodeToString([]byte(claims))+`"`)
	}
	return strings.Join(fields, ", ")
}

// wantsPage tells whether a person waits for a page that another one can take
// the place of.
func wantsPage(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return r.Header.Get("X-Requested-With") == "" && takesHTML(r)
}

func takesHTML(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }
