package web

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/extensions/backend"
)

// Stored is a session in the store, whoever's request it may be.
type Stored struct {
	ID       string // its key in the session store; a digest where scs.SessionManager.HashTokenInStore is set
	Record   Record
	Deadline time.Time // when it ends at the latest
}

// Each lists the sessions in which somebody is signed in, in any order. Where the
// store can't list (scs.IterableStore, which those of scs are), or fails, the last
// thing that comes is an error; what isn't a session of this configuration's codec
// is left out.
func (a *App) Each(ctx context.Context) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		all, err := a.allSessions(ctx)
		if err != nil {
			yield(Stored{}, fmt.Errorf("msalext: list sessions: %w", err))
			return
		}
		for id, data := range all {
			deadline, values, err := a.sessions.Codec.Decode(data)
			if err != nil {
				continue
			}
			if record, ok := RecordOf(values); ok && !yield(Stored{ID: id, Record: record, Deadline: deadline}, nil) {
				return
			}
		}
	}
}

func (a *App) allSessions(ctx context.Context) (map[string][]byte, error) {
	switch store := a.sessions.Store.(type) {
	case scs.IterableCtxStore:
		return store.AllCtx(ctx)
	case scs.IterableStore:
		return store.All()
	}
	return nil, &backend.Error{Op: "list sessions", Kind: backend.ErrUnsupported, Hint: "use a session store that is an scs.IterableStore"}
}

// End ends a session that [App.Each] listed, as its own [Session.SignOut] does.
func (a *App) End(ctx context.Context, s Stored) error {
	return a.end(ctx, s.Record.TokenKey, func() error {
		if store, ok := a.sessions.Store.(scs.CtxStore); ok {
			return store.DeleteCtx(ctx, s.ID)
		}
		return a.sessions.Store.Delete(s.ID)
	})
}

// end deletes tokens first: a request that is under way looks for them after it
// has written its session, see dropEnded.
func (a *App) end(ctx context.Context, tokenKey string, destroy func() error) error {
	var failed error
	if tokenKey != "" {
		failed = a.clients.Remove(ctx, tokenKey)
	}
	if err := errors.Join(failed, destroy()); err != nil {
		return fmt.Errorf("msalext: end a session: %w", err)
	}
	return nil
}

// SignOutEverywhere ends all sessions of an account ([Record.Account]), and tells
// how many. It goes on after an error, and returns all of them.
func (a *App) SignOutEverywhere(ctx context.Context, account string) (int, error) {
	ended := 0
	var failures []error
	for s, err := range a.Each(ctx) {
		if err == nil && s.Record.Account != account {
			continue
		}
		if err == nil {
			err = a.End(ctx, s)
		}
		if failures = append(failures, err); err == nil {
			ended++
		}
	}
	return ended, errors.Join(failures...)
}
