package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
)

const hostPrefix = "__Host-"

// openSessions makes the session manager, or makes the caller's safe.
func (a *App) openSessions() {
	a.sessions = a.cfg.Sessions
	if a.sessions == nil {
		a.sessions = a.defaultSessions()
	}
	cookie := &a.sessions.Cookie
	if a.cfg.CookieName != "" {
		cookie.Name = a.cfg.CookieName
	}
	// The prefix makes browsers refuse a cookie of that name that another host of
	// the domain, or somebody on the way, sets.
	cookie.Name = hostPrefix + strings.TrimPrefix(cookie.Name, hostPrefix)
	cookie.Path, cookie.Domain = "/", ""
	cookie.Secure, cookie.HttpOnly = true, true
	// Strict would not come along when the identity provider leads back here.
	cookie.SameSite = http.SameSiteLaxMode
	loader := *a.sessions
	loader.IdleTimeout = 0
	loader.Codec = codec{loader.Codec}
	a.loader = &loader
}

func (a *App) defaultSessions() *scs.SessionManager {
	m := scs.New()
	m.IdleTimeout = 2 * time.Hour
	m.HashTokenInStore = true
	m.Cookie.Persist = false
	m.ErrorFunc = a.noSession
	if a.cfg.Store != nil {
		m.Store = a.cfg.Store
	}
	return m
}

// noSession answers where the session store fails.
func (a *App) noSession(w http.ResponseWriter, r *http.Request, err error) {
	a.log.ErrorContext(r.Context(), "session store", "err", err)
	a.answer(w, r, http.StatusServiceUnavailable, pageUnavailable())
}
