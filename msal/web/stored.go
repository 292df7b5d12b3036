package web

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/alexedwards/scs/v2"
)

// Stored is a session in the store, whoever's request it may be.
type Stored struct {
	ID       string // its key in the session store; a digest where scs.SessionManager.HashTokenInStore is set
	Record   Record
	Deadline time.Time // when it ends at the latest
}

// Each lists the sessions of this application in which somebody is signed in,
// in any order. Where the store can't list, or fails, the last thing that comes
// is an error; sessions that this program can't decode are left out.
//
// Stores that have a method Rows(context.Context) iter.Seq2[StoredData, error],
// such as that of package redisstore, are listed as they come. From others,
// which are an scs.IterableStore as those of scs are, all sessions are loaded
// at once: with 100,000 that can be hundreds of megabytes.
func (a *App) Each(ctx context.Context) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for s, err := range a.each(ctx) {
			if !errors.Is(err, errUndecodable) && !yield(s, err) {
				return
			}
		}
	}
}

// each is Each, with errUndecodable for each session that can't be decoded.
func (a *App) each(ctx context.Context) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for row, err := range a.rows(ctx) {
			if err != nil {
				yield(Stored{}, fmt.Errorf("msalext: list sessions: %w", err))
				return
			}
			deadline, values, err := a.loader.Codec.Decode(row.Data)
			text, _ := values[RecordName].(string)
			record, ok := a.ownRecord(text)
			if (ok || err != nil) && !yield(Stored{ID: row.ID, Record: record, Deadline: deadline}, err) {
				return
			}
		}
	}
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

// endTime bounds each half of the end of a session, which goes on when whoever
// asked for it has left.
const endTime = 10 * time.Second

// destroy ends the session of a request. Where the store fails, the saver does
// what can be done.
func (a *App) destroy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	err := a.sessions.Destroy(ctx)
	if s, ok := ctx.Value(wrapKey{a}).(*saver); ok && err != nil {
		s.lost.Store(true)
	}
	return err
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
