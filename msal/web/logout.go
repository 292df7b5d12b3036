package web

import (
	"net/http"
	"net/url"

	"github.com/alexedwards/scs/v2"
)

// askLogout shows a button: a sign-out by GET would be any link's and any
// image's doing.
func (a *App) askLogout(w http.ResponseWriter, r *http.Request) {
	s := a.Session(r)
	if !s.SignedIn() {
		a.answer(w, r, http.StatusOK, pageSignedOut(localPath("/"+r.PathValue("to"))))
		return
	}
	a.answer(w, r, http.StatusOK, pageSignOut(r.URL.EscapedPath(), s.CSRFToken()))
}

// serveLogout signs out, here first and then at the identity provider.
func (a *App) serveLogout(w http.ResponseWriter, r *http.Request) {
	s, ctx := a.Session(r), r.Context()
	to := localPath("/" + r.PathValue("to"))
	if !s.SignedIn() {
		redirect(w, to)
		return
	}
	if !s.CheckCSRF(r) {
		a.answer(w, r, http.StatusForbidden, pageForged(routes+"logout"))
		return
	}
	hint, _ := s.Claims()["login_hint"].(string)
	err := s.SignOut(ctx)
	if a.sessions.Status(ctx) != scs.Destroyed {
		a.log.ErrorContext(ctx, "not signed out", "err", err)
		a.answer(w, r, http.StatusServiceUnavailable, pageUnavailable())
		return
	}
	if err != nil {
		a.log.WarnContext(ctx, "signed out, but not all of it could be deleted", "err", err)
	}
	about, err := a.provider(ctx)
	if err != nil || about.EndSession == "" {
		a.log.WarnContext(ctx, "signed out here, and not at the identity provider", "err", err)
		redirect(w, to)
		return
	}
	redirect(w, a.endSession(about.EndSession, to, hint))
}

// endSession is where the identity provider signs people out (OpenID Connect
// RP-Initiated Logout §2). hint is Entra ID's optional claim login_hint, with
// which it doesn't ask who is meant.
func (a *App) endSession(endpoint, to, hint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || !private(u) || u.Host == "" {
		return to
	}
	query := u.Query()
	query.Set("post_logout_redirect_uri", a.cfg.BaseURL+to)
	query.Set("client_id", a.cfg.ClientID)
	if hint != "" {
		query.Set("logout_hint", hint)
	}
	u.RawQuery = query.Encode()
	return u.String()
}
