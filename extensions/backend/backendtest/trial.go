package backendtest

import (
	"context"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// caseTimeout ends the calls of a case that hangs in a store which heeds its
// context; go test ends others.
const caseTimeout = 2 * time.Minute

// trial is one run of a case.
type trial struct {
	T
	limits
	harness Harness
	ctx     context.Context
	opened  []*tracked
	started []<-chan struct{} // what must end before stores are closed
}

// tracked is a store that the trial closes at its end.
type tracked struct {
	store  backend.Store
	closed chan struct{} // not nil: Close was called; closed: it returned
	err    error         // what Close returned
}

func try(t T, h Harness, l limits, find func(*trial)) {
	t.Helper()
	c := &trial{T: t, limits: l, harness: h}
	ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
	c.ctx = ctx
	defer c.end(cancel)
	find(c)
}

// end also runs after Fatalf. What goes wrong in it is the business of the
// cases about Close.
func (c *trial) end(cancel context.CancelFunc) {
	cancel()
	for _, done := range c.started {
		if !c.within(done) {
			c.Logf("a call doesn't end with its context, and is left behind")
		}
	}
	for _, s := range c.opened {
		if !c.within(s.close()) {
			c.Logf("a store doesn't close, and is left behind")
		}
	}
}

// Context is bounded by the case's own limit.
func (c *trial) Context() context.Context { return c.ctx }

func (c *trial) open() backend.Store {
	c.Helper()
	return c.track(c.harness.Open(c.T)).store
}

func (c *trial) reopen() backend.Store {
	c.Helper()
	return c.track(c.harness.Reopen(c.T)).store
}

func (c *trial) track(s backend.Store) *tracked {
	t := &tracked{store: s}
	c.opened = append(c.opened, t)
	return t
}

// close begins to close the store, once. What it returns is closed when that
// is done.
func (t *tracked) close() <-chan struct{} {
	if t.closed == nil {
		t.closed = make(chan struct{})
		go func() {
			defer close(t.closed)
			t.err = t.store.Close()
		}()
	}
	return t.closed
}

// mustClose expects that a store closes.
func (c *trial) mustClose(t *tracked) {
	c.Helper()
	if !c.within(t.close()) {
		c.Fatalf("Close doesn't return")
	}
	if t.err != nil {
		c.Errorf("close: %v", t.err)
	}
}

// beside runs fn in a goroutine that ends before the stores are closed. What
// it returns is closed when fn has returned.
func (c *trial) beside(fn func()) <-chan struct{} {
	done := make(chan struct{})
	c.started = append(c.started, done)
	go func() {
		defer close(done)
		fn()
	}()
	return done
}

// within tells whether done is closed in time.
func (c *trial) within(done <-chan struct{}) bool {
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// eventually polls for what no event tells of.
func (c *trial) eventually(is func() bool) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(c.patience); !is(); <-tick.C {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// announced returns an optional power of a store, and logs that there is
// nothing to test when it isn't announced. That an announced one is missing
// is the business of another case.
func announced[P any](c *trial, s backend.Store, power backend.Caps) (P, bool) {
	c.Helper()
	p, ok := backend.Can[P](s, power)
	if !ok {
		c.Logf("nothing to test: the store doesn't announce, or doesn't have, %q", power)
	}
	return p, ok
}
