package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
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
	// that are ended stay until a web server sweeps them, and Token doesn't work.
	Tokens *persist.Persistence
	// NewClient makes a client of the application with that cache, as
	// [msal.NewConfidential] does with Options.Cache; Token needs it.
	NewClient func(*persist.PersistedTokenCache) (*msal.Confidential, error)
}

// Session is one that somebody is signed in to, or that is of no use.
type Session struct {
	// Mark tells sessions apart, and is the same each time. It isn't the session's
	// name, which may be what its cookie holds.
	Mark string
	// Record is who is signed in; the zero value where Err says why nobody knows.
	Record web.Record
	// Expires is when the session ends if nobody uses it.
	Expires time.Time
	// Err is why the session is of no use, wrapping [ErrUnusable]; else nil.
	Err error

	row *row // behind a pointer, so that printing a Session doesn't print it
}

// ErrUnusable: a session can't be used. It can't be read, or its tokens are gone.
var ErrUnusable = errors.New("the session is of no use")

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

// Find lists the sessions of a person, whose address is compared without regard
// to letter case. It otherwise does what All does.
func (s *Sessions) Find(ctx context.Context, email string) iter.Seq2[Session, error] {
	return filter(s.All(ctx), func(found *Session) (bool, error) {
		return found.Err == nil && strings.EqualFold(found.Record.Email, email), nil
	})
}

// Invalid lists the sessions that are of no use, with Err set: those that can't
// be read, and, where Tokens is set, those whose tokens are gone, so that the
// person would have to sign in again.
func (s *Sessions) Invalid(ctx context.Context) iter.Seq2[Session, error] {
	return filter(s.All(ctx), func(found *Session) (bool, error) {
		if found.Err != nil || s.Tokens == nil {
			return found.Err != nil, nil
		}
		_, err := s.Tokens.Key(found.Record.TokenKey).Load(ctx)
		if errors.Is(err, backend.ErrNotFound) {
			found.Err, err = fmt.Errorf("%w: its tokens are gone", ErrUnusable), nil
		}
		return found.Err != nil, err
	})
}

// filter yields what is wanted, and ends with the first error.
func filter(all iter.Seq2[Session, error], wanted func(*Session) (bool, error)) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		for found, err := range all {
			ok := false
			if err == nil {
				ok, err = wanted(&found)
			}
			if err != nil {
				yield(Session{}, err)
				return
			}
			if ok && !yield(found, nil) {
				return
			}
		}
	}
}

// session reads a row; false: it is a visitor's.
func (s *Store) session(r row) (Session, bool) {
	sum := sha256.Sum256([]byte(r.token))
	found := Session{Mark: hex.EncodeToString(sum[:6]), row: &r}
	deadline, values, err := s.opts.Codec.Decode([]byte(r.data))
	if err != nil {
		// What the codec says may hold what is stored.
		found.Err = fmt.Errorf("%w: it can't be decoded", ErrUnusable)
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
	found.Record = record
	return found, true
}

// endScript removes a session that is still as it was seen.
var endScript = goredis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return redis.call('DEL', KEYS[1])
end
return 0`)
