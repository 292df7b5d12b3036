package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/web"
)

// Sessions works on the sessions of a web app. Store is required. It is safe for
// concurrent use; don't change its fields meanwhile.
type Sessions struct {
	// Store is where the sessions are.
	Store *Store
	// Tokens is the application's web.Config.Tokens. Nil: the tokens of sessions
	// that are ended stay until a web server sweeps them, a request that is under
	// way may bring such a session back, and Token doesn't work.
	Tokens *persist.Persistence
	// NewClient makes a client of the application with that cache, as
	// [msal.NewConfidential] does with Options.Cache; Token needs it.
	NewClient func(*persist.PersistedTokenCache) (*msal.Confidential, error)
}

// Session is one that somebody is signed in to, or that nobody here can read.
type Session struct {
	// Mark tells sessions apart, and is the same each time. It isn't the session's
	// name, which may be what its cookie holds.
	Mark string
	// Record is who is signed in, without CSRF, which is for the person's browser
	// alone; the zero value where Err says why nobody knows.
	Record web.Record
	// Expires is when the session ends if nobody uses it.
	Expires time.Time
	// Err is why the session is of no use, wrapping [ErrUnusable], or why that isn't
	// known, wrapping [ErrUnreadable]; else nil.
	Err error

	row func() row // fmt follows pointers for some verbs, and must not print it
}

var (
	// ErrUnusable: nobody can use a session. Its record can't be read, or its tokens
	// are gone.
	ErrUnusable = errors.New("the session is of no use")
	// ErrUnreadable: this process can't decode a session. It may be damaged; or it is
	// in use, and the web app keeps values in it of types that only the app
	// registers with encoding/gob, or has another Options.Codec.
	ErrUnreadable = errors.New("the session can't be decoded here")
)

// All lists the sessions that somebody is signed in to, and those that can't be
// read, whose Err is set. Those of visitors are left out. Where the server
// fails, the last thing that comes is an error.
func (s *Sessions) All(ctx context.Context) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		for r, err := range s.Store.rows(ctx) {
			if err != nil {
				yield(Session{}, wrap("list sessions", err))
				return
			}
			if found, ok := s.Store.session(r); ok && !yield(found, nil) {
				return
			}
		}
	}
}

// session reads a row; false: it is a visitor's.
func (s *Store) session(r row) (Session, bool) {
	sum := sha256.Sum256([]byte(r.token))
	found := Session{Mark: hex.EncodeToString(sum[:6]), row: func() row { return r }}
	deadline, values, err := s.opts.Codec.Decode([]byte(r.data))
	if err != nil {
		// What the codec says may hold what is stored.
		found.Err = ErrUnreadable
		return found, true
	}
	found.Expires = deadline
	if values[web.RecordName] == nil {
		return Session{}, false
	}
	record, ok := web.RecordOf(values)
	if !ok {
		found.Err = fmt.Errorf("%w: its record can't be read", ErrUnusable)
	}
	record.CSRF = ""
	found.Record = record
	return found, true
}

// endScript removes a session that is still as it was seen.
var endScript = goredis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return redis.call('DEL', KEYS[1])
end
return 0`)
