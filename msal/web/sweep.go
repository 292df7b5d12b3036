package web

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// youngest is how old tokens without a session have to be to be deleted: the
// session of a sign-in that is under way isn't stored yet.
const youngest = time.Hour

// Sweep deletes the token items whose session is gone, because it expired or a
// process died between the two, and tells how many. Items that were written less
// than an hour ago stay, as their session may not be stored yet; so do those that
// a store doesn't tell the time of.
//
// Applications may share Config.Tokens if they differ in ClientID; those with the
// same have to share the session store as well, or they sweep each other's.
//
// Where there is a session that this program can't decode, such as one with
// values of a type of the next version's, nothing is deleted: its tokens may be
// in use. The error is backend.ErrCorrupt then.
//
// Both stores must be able to list: see [App.Each], and
// persist.Persistence.Keys; else the error is backend.ErrUnsupported. An App
// sweeps by itself (Config.SweepEvery).
func (a *App) Sweep(ctx context.Context) (int, error) { return a.sweep(ctx, youngest) }

func (a *App) sweep(ctx context.Context, youngest time.Duration) (int, error) {
	// The items are listed first: what is stored between the two is then not
	// among them.
	candidates, err := a.oldItems(ctx, time.Now().Add(-youngest))
	if err != nil {
		return 0, fmt.Errorf("msalext: sweep tokens without a session: %w", err)
	}
	for s, err := range a.each(ctx) {
		if err != nil {
			return 0, fmt.Errorf("msalext: sweep tokens without a session: %w", err)
		}
		delete(candidates, s.Record.TokenKey)
	}
	swept := 0
	for key := range candidates {
		if err := a.clients.Remove(ctx, key); err != nil {
			return swept, fmt.Errorf("msalext: sweep tokens without a session: %w", err)
		}
		swept++
	}
	return swept, nil
}

func (a *App) oldItems(ctx context.Context, before time.Time) (map[string]bool, error) {
	old := map[string]bool{}
	for info, err := range a.cfg.Tokens.Keys(ctx, a.tokenPrefix()) {
		if err != nil {
			return nil, err
		}
		if !info.Modified.IsZero() && info.Modified.Before(before) {
			old[info.Key] = true
		}
	}
	return old, nil
}

// sweepOften sweeps until ctx ends. Processes that were started at once don't do
// it at once.
func (a *App) sweepOften(ctx context.Context) {
	for {
		pause := a.cfg.SweepEvery/2 + rand.N(a.cfg.SweepEvery)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		n, err := a.Sweep(ctx)
		switch {
		case errors.Is(err, backend.ErrUnsupported):
			a.log.WarnContext(ctx, "tokens of sessions that expired stay", "err", err)
			return
		case err != nil && ctx.Err() == nil:
			a.log.WarnContext(ctx, "sweep", "err", err)
		case n > 0:
			a.log.InfoContext(ctx, "swept tokens without a session", "items", n)
		}
	}
}
