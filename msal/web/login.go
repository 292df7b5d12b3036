package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/msalext/msalext/msal"
)

// claimsName is the name under which a session has the claims that the next
// sign-in has to bring.
const claimsName = "msalext.claims"

// serveLogin begins a sign-in. It takes where to go afterwards from the path or
// the parameter to, and passes login_hint and prompt on.
func (a *App) serveLogin(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	to := localPath(cmp.Or(r.URL.Query().Get("to"), "/"+r.PathValue("to")))
	options := msal.AuthCodeOptions{
		RedirectURI: a.cfg.RedirectURI, Scopes: a.cfg.Scopes, ResponseMode: a.cfg.ResponseMode,
		LoginHint: hint(r.URL.Query().Get("login_hint")), Prompt: prompt(r.URL.Query().Get("prompt")),
		Claims: a.sessions.PopString(ctx, claimsName),
	}
	if options.Claims != "" && options.LoginHint == "" { // the same person has to prove more
		name, _ := a.Session(r).Claims()["preferred_username"].(string)
		options.LoginHint = hint(name)
	}
	f, err := a.login.BeginAuthCode(ctx, options)
	if err != nil {
		a.failedLogin(w, r, err)
		return
	}
	cookie, err := a.sealFlow(ctx, f, to)
	if err != nil {
		a.failedLogin(w, r, err)
		return
	}
	a.tidyFlows(w, r)
	http.SetCookie(w, cookie)
	redirect(w, f.AuthURI)
}

// sealFlow leaves out where to go if only that doesn't fit.
func (a *App) sealFlow(ctx context.Context, f msal.AuthCodeFlow, to string) (*http.Cookie, error) {
	f.AuthURI = ""
	cookie, err := a.seal(ctx, flow{Flow: f, To: to, From: a.sessions.Token(ctx), Until: time.Now().Add(flowLife)})
	if errors.Is(err, errFlowLarge) && len(to) > 1 {
		return a.sealFlow(ctx, f, "/")
	}
	return cookie, err
}

// failedLogin tells of a sign-in that could not be begun.
func (a *App) failedLogin(w http.ResponseWriter, r *http.Request, err error) {
	a.log.ErrorContext(r.Context(), "sign-in not begun", "err", err)
	a.answer(w, r, http.StatusServiceUnavailable, pageUnavailable())
}

// hint is a user name that somebody may have put into a link.
func hint(name string) string {
	if len(name) > 320 || strings.ContainsFunc(name, unicode.IsControl) {
		return ""
	}
	return name
}

// prompt passes on what does no harm when a stranger's link asks for it.
func prompt(name string) msal.Prompt {
	p := msal.Prompt(name)
	if slices.Contains([]msal.Prompt{msal.PromptLogin, msal.PromptSelectAccount}, p) {
		return p
	}
	return ""
}

// redirect leads a browser on. What was posted isn't posted again.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

// loginPath is where to sign in and come back to a local path.
func loginPath(to string) string {
	if to == "/" {
		return routes + "login"
	}
	return routes + "login?" + url.Values{"to": {to}}.Encode()
}
