package msal

import (
	"context"
	"sync"

	"github.com/msalext/msalext/extensions/persist"
)

// behalfTurn is what one call at a time does: to look for, and get, the tokens
// of an assertion in a cache.
type behalfTurn struct {
	cache *persist.PersistedTokenCache
	hash  string
}

// turns make those wait who would do the same.
type turns struct {
	mu    sync.Mutex
	taken map[behalfTurn]*turn
}

type turn struct {
	free    chan struct{} // holds one token; who has it may go
	waiting int           // those who have it, or wait for it
}

var behalfTurns turns

// wait returns when it is the caller's turn, who then calls done.
func (ts *turns) wait(ctx context.Context, of behalfTurn) (done func(), err error) {
	ts.mu.Lock()
	t := ts.taken[of]
	if t == nil {
		t = &turn{free: make(chan struct{}, 1)}
		t.free <- struct{}{}
		if ts.taken == nil {
			ts.taken = map[behalfTurn]*turn{}
		}
		ts.taken[of] = t
	}
	t.waiting++
	ts.mu.Unlock()
	select {
	case <-t.free:
		return func() { t.free <- struct{}{}; ts.leave(of, t) }, nil
	case <-ctx.Done():
		ts.leave(of, t)
		return nil, context.Cause(ctx)
	}
}

// leave forgets a turn that nobody waits for.
func (ts *turns) leave(of behalfTurn, t *turn) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t.waiting--; t.waiting == 0 {
		delete(ts.taken, of)
	}
}
