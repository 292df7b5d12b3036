package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/extensions/backend"
)

// usedName is the name under which a session has when it was last written, in
// seconds since 1970.
const usedName = "msalext.used"

// maxSessionID is above what scs makes, 43 characters.
const maxSessionID = 128

// wrapKey marks the context of a request whose session is loaded, by this App.
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
		ctx, err := a.loader.Load(r.Context(), a.sessionID(r))
		if err != nil {
			a.sessions.ErrorFunc(w, r, err)
			return
		}
		r = r.WithContext(context.WithValue(ctx, wrapKey{a}, true))
		s := &saver{ResponseWriter: w, app: a, r: r, id: a.sessions.Token(ctx)}
		next.ServeHTTP(s, r)
		s.save()
	})
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
	failed bool // the session could not be saved, and the answer says so
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
	if s.app.sessions.Status(ctx) == scs.Destroyed {
		id, expiry = "", time.Time{}
	}
	s.app.sessions.WriteSessionCookie(ctx, s.ResponseWriter, id, expiry)
}

// dropEnded destroys a session that was just written if it has been ended in the
// meantime, which session stores can't tell. Who ends one deletes its tokens
// first and the session then; so whichever of the two comes last sees the other.
func (a *App) dropEnded(ctx context.Context) error {
	record, ok := parseRecord(a.sessions.GetString(ctx, RecordName))
	if !ok {
		return nil
	}
	_, err := a.cfg.Tokens.Key(record.TokenKey).Load(ctx)
	if errors.Is(err, backend.ErrNotFound) {
		return a.sessions.Destroy(ctx)
	}
	return nil // what the token store can't tell now shows when a token is needed
}
