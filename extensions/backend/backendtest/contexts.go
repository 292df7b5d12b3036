package backendtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func contextFaults() []fault {
	return []fault{
		{"ignores a cancelled context", "A call with a cancelled context fails with context.Canceled and changes nothing.", func(c *trial) {
			ctx, cancel := context.WithCancel(c.ctx)
			cancel()
			c.changesNothing(ctx, context.Canceled)
		}},
		{"ignores a passed deadline", "A call after its deadline fails with context.DeadlineExceeded and changes nothing.", func(c *trial) {
			ctx, cancel := context.WithDeadline(c.ctx, time.Now().Add(-time.Second))
			defer cancel()
			c.changesNothing(ctx, context.DeadlineExceeded)
		}},
		{"tears items when cancelled", "A save that is cancelled on its way leaves the old item or the new one, and the store usable.", tearsCancelled},
	}
}

func (c *trial) changesNothing(ctx context.Context, want error) {
	c.Helper()
	s := c.open()
	v := c.save(s, "k", []byte("kept"), backend.None)
	_, err := s.Load(ctx, "k", backend.None)
	c.wants("load", err, want)
	_, err = s.Save(ctx, "k", []byte("lost"), v)
	c.wants("save", err, want)
	_, err = s.Save(ctx, "new", []byte("lost"), backend.None)
	c.wants("save of a new item", err, want)
	c.wants("delete", s.Delete(ctx, "k", v), want)
	c.holdsAt(s, "k", []byte("kept"), v)
	c.absent(s, "new")
}

func tearsCancelled(c *trial) {
	s := c.open()
	size := fitting(s, 64<<10)
	c.save(s, "k", value(0, size), backend.None)
	for n := 1; n <= 20; n++ {
		blob := c.load(s, "k")
		ctx, cancel := context.WithCancel(c.ctx)
		timer := time.AfterFunc(rand.N(2*time.Millisecond), cancel)
		_, err := s.Save(ctx, "k", value(n, size), blob.Version)
		timer.Stop()
		cancel()
		// The save before may have come through after its caller had gone.
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, backend.ErrConflict) {
			c.Errorf("a cancelled save: %v", err)
		}
		if _, whole := numberIn(c.load(s, "k").Data); !whole {
			c.Fatalf("a cancelled save left part of an item")
		}
	}
}
