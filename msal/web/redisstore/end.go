package redisstore

import (
	"context"
	"errors"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal/web"
)

// End ends a session, and deletes its tokens where Tokens is set. It tells
// whether there was something to end: a session that is gone, or that somebody
// else has signed in to since it was listed, is left alone.
//
// The tokens go after the session. Where that fails, the session is over all the
// same, and the error says that they are left.
func (s *Sessions) End(ctx context.Context, session Session) (ended bool, err error) {
	ended, gone, err := s.Store.end(ctx, session)
	if !gone || s.Tokens == nil || !strings.HasPrefix(session.Record.TokenKey, web.TokenPrefix) {
		return ended, err
	}
	err = s.Tokens.Key(session.Record.TokenKey).Delete(ctx)
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		return ended, err
	}
	// A request that was under way may have written the session once more, and have
	// looked for its tokens while they were there. What is written from now on the
	// web app drops by itself.
	again, _, err := s.Store.end(ctx, session)
	return ended || again, err
}

// Clean ends the sessions that began longer ago than age, in which people may be
// active, and tells how many. 0 is all of them. Sessions that can't be read stay;
// see Invalid and Unreadable.
func (s *Sessions) Clean(ctx context.Context, age time.Duration) (int, error) {
	n := 0
	before := time.Now().Add(-age)
	for found, err := range s.All(ctx) {
		if err != nil {
			return n, err
		}
		if found.Err != nil || found.Record.Since.After(before) {
			continue
		}
		ended, err := s.End(ctx, found)
		if ended {
			n++
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// end removes the session that was seen. A web server writes a session each time
// that it is used for a while, so what differs is looked at anew. A session that
// was gone already may be one that an answer was lost about, so its tokens have
// to go as well.
func (s *Store) end(ctx context.Context, seen Session) (ended, gone bool, err error) {
	last := seen.row()
	name := s.opts.Prefix + last.token
	for {
		var removed *goredis.Cmd
		err := s.write(ctx, name, func(p goredis.Pipeliner) { removed = endScript.Eval(ctx, p, []string{name}, last.data) })
		if err != nil {
			return false, false, wrap("end a session", err)
		}
		if n, err := removed.Int(); err != nil || n > 0 {
			return n > 0, n > 0, wrap("end a session", err)
		}
		data, found, err := s.FindCtx(ctx, last.token)
		if err != nil || !found {
			return false, !found && err == nil, err
		}
		last.data = string(data)
		now, ok := s.session(last)
		if seen.Err == nil && errors.Is(now.Err, ErrUnreadable) {
			return false, false, wrap("end a session", now.Err)
		}
		if !ok || now.Record.TokenKey != seen.Record.TokenKey {
			return false, false, nil
		}
	}
}
