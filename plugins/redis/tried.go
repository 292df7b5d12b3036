package redis

import (
	"context"
	"errors"
	"net"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// A tried notes, for one call of the store, whether a command may have been
// carried out although it failed.
type tried struct {
	mu        sync.Mutex
	uncertain bool
}

type triedKey struct{}

func (t *tried) within(ctx context.Context) context.Context {
	return context.WithValue(ctx, triedKey{}, t)
}

func (t *tried) perhaps() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.uncertain
}

func (t *tried) note(err error) {
	if err == nil || !mayHaveHappened(err) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.uncertain = true
}

// mayHaveHappened tells whether a command that failed can have been carried
// out: it was sent, and no answer came.
func mayHaveHappened(err error) bool {
	var dial *net.OpError
	switch {
	case code(err) == "UNBLOCKED":
		return true
	case code(err) != "", errors.Is(err, goredis.Nil), errors.Is(err, goredis.ErrPoolTimeout), untrusted(err) != nil:
		return false
	case errors.As(err, &dial) && dial.Op == "dial":
		return false
	}
	return true
}

// witness sees each try, also those that go-redis makes by itself in a Cluster.
type witness struct{}

func (witness) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (witness) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		err := next(ctx, cmd)
		if t, ok := ctx.Value(triedKey{}).(*tried); ok {
			t.note(err)
		}
		return err
	}
}

func (witness) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		err := next(ctx, cmds)
		if t, ok := ctx.Value(triedKey{}).(*tried); ok {
			t.note(err)
		}
		return err
	}
}
