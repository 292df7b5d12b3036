package web

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// Session is who made a request. It is safe for concurrent use. Tokens may be
// asked for after the request has ended; the session itself can't be changed any
// more then.
type Session struct {
	app    *App
	ctx    context.Context // of the request, with the session's data
	record atomic.Pointer[Record]
}

// Session returns the session of a request. It is never nil; without an
// [App.Wrap] around the handler, nobody is signed in.
func (a *App) Session(r *http.Request) *Session {
	return a.sessionOf(r.Context())
}

func (a *App) sessionOf(ctx context.Context) *Session {
	if ctx.Value(wrapKey{a}) == nil {
		// Without an id it makes a session in memory, and can't fail.
		if fresh, err := a.loader.Load(ctx, ""); err == nil {
			ctx = fresh
		}
	}
	s := &Session{app: a, ctx: ctx}
	record, _ := a.recordIn(ctx)
	s.record.Store(&record)
	return s
}

// Record is all that the session has of who is signed in; the zero value where
// nobody is.
func (s *Session) Record() Record { return *s.record.Load() }

// SignedIn tells whether somebody is.
func (s *Session) SignedIn() bool { return s.record.Load().TokenKey != "" }

// Name is what people are called: the claim name. Empty: nobody is signed in, or
// it isn't known.
func (s *Session) Name() string { return s.record.Load().Name }

// Email is the person's mail address or sign-in name, for people to read. An
// organization can write what it likes there, so decide nothing by it; see
// [EmailDomain].
func (s *Session) Email() string { return s.record.Load().Email }

// Claims are those of the ID token, by name; nil where nobody is signed in. Each
// call decodes them anew.
func (s *Session) Claims() map[string]any {
	var claims map[string]any
	if json.Unmarshal(s.record.Load().Claims, &claims) != nil {
		return nil
	}
	return claims
}

// SignOut ends the session: its tokens are deleted, and its id means nothing any
// more. It does so also where ctx or the request has ended, within 20 seconds. The
// identity provider isn't told; /user/logout does that.
//
// An error of one of the stores is returned. Where it is the token store's, the
// session is over all the same; where it is the session store's, the browser loses
// its cookie, and only who has a copy of that can go on.
func (s *Session) SignOut(ctx context.Context) error {
	record := s.record.Swap(&Record{})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	return s.app.end(ctx, record.TokenKey, func() error { return s.app.destroy(s.ctx) })
}

// CSRFField is the name of the form field that has [Session.CSRFToken].
const CSRFField = "csrf_token"

// maxForm bounds forms; what an identity provider sends has some kilobytes.
const maxForm = 64 << 10

// CSRFToken is what forms of this session carry in the field [CSRFField]; see
// [Session.CheckCSRF]. Empty: nobody is signed in.
func (s *Session) CSRFToken() string { return s.record.Load().CSRF }

// CheckCSRF tells whether a form comes from a page of this session. It parses
// the form, of at most 64 KiB; a larger one, of which an application has to read
// the field itself, can be parsed before.
func (s *Session) CheckCSRF(r *http.Request) bool {
	if r.PostForm == nil {
		r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	}
	sent, own := r.PostFormValue(CSRFField), s.CSRFToken()
	return own != "" && subtle.ConstantTimeCompare([]byte(sent), []byte(own)) == 1
}
