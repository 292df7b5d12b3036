package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/extensions/backend"
)

// usedName is the name under which a session has when it was last written, in
// seconds since 1970.
const usedName = "msalext.used"

// rememberName is where scs.SessionManager.RememberMe says whether the cookie
// has an end.
const rememberName = "__rememberMe"

// maxSessionID is above what scs makes, 43 characters.
const maxSessionID = 128

// wrapKey is under which the context of a request whose session this App has
// loaded has the saver.
type wrapKey struct{ *App }

// Wrap loads a request's session before next, and saves it with the first byte
// that next writes. It is in place of scs.SessionManager's LoadAndSave, and
// differs: a session that is used is written again only each tenth of its idle
// time, and a request that was under way when somebody signed out doesn't bring
// the session back. A second Wrap around the same handler does nothing.
func (a *App) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(wrapKey{a}) != nil {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("Vary", "Cookie")
		ctx, err := a.load(r)
		if err != nil {
			a.sessions.ErrorFunc(w, r, err)
			return
		}
		s := &saver{ResponseWriter: w, app: a, id: a.sessions.Token(ctx)}
		s.r = r.WithContext(context.WithValue(ctx, wrapKey{a}, s))
		next.ServeHTTP(s, s.r)
		s.save()
	})
}

// load loads a request's session. One that can't be decoded may be the next
// version's, so that no other answer may take its place; but whoever signs in
// gets a new one, and would else have to wait until it ends.
func (a *App) load(r *http.Request) (context.Context, error) {
	ctx, err := a.loader.Load(r.Context(), a.sessionID(r))
	path := r.URL.Path
	if errors.Is(err, errUndecodable) && (path == routes+"authorized" || path == routes+"login" || strings.HasPrefix(path, routes+"login/")) {
		return a.loader.Load(r.Context(), "")
	}
	return ctx, err
}

// sessionID is what the session cookie says; "" where there is none.
func (a *App) sessionID(r *http.Request) string {
	cookie, err := r.Cookie(a.sessions.Cookie.Name)
	if err != nil || len(cookie.Value) > maxSessionID {
		return ""
	}
	return cookie.Value
}

// saver saves the session before the header is sent, which has the cookie.
type saver struct {
	http.ResponseWriter

	app    *App
	r      *http.Request
	id     string // of the session as it was loaded; empty: a new one
	saved  bool
	failed bool        // the session could not be saved, and the answer says so
	lost   atomic.Bool // the session should have ended, and its store failed
}

// Unwrap is for http.ResponseController.
func (s *saver) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// WriteHeader saves the session first.
func (s *saver) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols { // else more will come
		s.save()
	}
	if !s.failed {
		s.ResponseWriter.WriteHeader(status)
	}
}

// Write saves the session first.
func (s *saver) Write(b []byte) (int, error) {
	s.save()
	if s.failed {
		return len(b), nil // the handler can do nothing about it
	}
	return s.ResponseWriter.Write(b)
}

// FlushError is for http.ResponseController, which would else send the header
// behind the saver's back.
func (s *saver) FlushError() error {
	s.save()
	return http.NewResponseController(s.ResponseWriter).Flush()
}

// Flush is for handlers that look for http.Flusher.
func (s *saver) Flush() { _ = s.FlushError() } // a Flusher can't tell

func (s *saver) save() {
	if s.saved {
		return
	}
	s.saved = true
	ctx, sessions := s.r.Context(), s.app.sessions
	if s.lost.Load() {
		sessions.WriteSessionCookie(ctx, s.ResponseWriter, "", time.Time{})
		return
	}
	s.app.touch(ctx)
	switch sessions.Status(ctx) {
	case scs.Modified:
		s.commit(ctx)
	case scs.Destroyed:
		if s.id != "" {
			sessions.WriteSessionCookie(ctx, s.ResponseWriter, "", time.Time{})
		}
	}
}

// touch marks a session for writing whose idle time would end too soon.
func (a *App) touch(ctx context.Context) {
	idle := a.sessions.IdleTimeout
	if idle <= 0 || a.sessions.Status(ctx) == scs.Destroyed || a.sessions.Token(ctx) == "" && a.sessions.Status(ctx) == scs.Unmodified {
		return
	}
	used := time.Unix(a.sessions.GetInt64(ctx, usedName), 0)
	if a.sessions.Status(ctx) == scs.Modified || time.Since(used) > idle/10 {
		a.sessions.Put(ctx, usedName, time.Now().Unix())
	}
}

func (s *saver) commit(ctx context.Context) {
	id, expiry, err := s.app.sessions.Commit(ctx)
	if err == nil && id == s.id {
		err = s.app.dropEnded(ctx)
	}
	if err != nil {
		s.failed = true
		for _, name := range []string{"Location", "Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
			s.Header().Del(name) // of what the handler was going to answer
		}
		s.app.sessions.ErrorFunc(s.ResponseWriter, s.r, err)
		return
	}
	if s.news(id) {
		s.app.sessions.WriteSessionCookie(ctx, s.ResponseWriter, id, expiry)
	}
}

// news tells whether the browser has to hear of the session. A needless cookie
// would take the place of the next session's, where one began while this
// request was under way: who ended a session has told the browser, and a cookie
// without an end doesn't change.
func (s *saver) news(id string) bool {
	ctx, sessions := s.r.Context(), s.app.sessions
	if sessions.Status(ctx) == scs.Destroyed {
		return false
	}
	return id != s.id || sessions.Cookie.Persist || sessions.Exists(ctx, rememberName)
}

// dropEnded destroys a session that was just written if it has been ended in the
// meantime, which session stores can't tell. Who ends one deletes its tokens
// first and the session then; so whichever of the two comes last sees the other.
func (a *App) dropEnded(ctx context.Context) error {
	record, ok := a.recordIn(ctx)
	if !ok {
		return nil
	}
	_, err := a.cfg.Tokens.Key(record.TokenKey).Load(ctx)
	if errors.Is(err, backend.ErrNotFound) {
		return a.sessions.Destroy(ctx)
	}
	return nil // what the token store can't tell now shows when a token is needed
}
