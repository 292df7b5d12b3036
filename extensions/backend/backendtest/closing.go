package backendtest

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/msalext/msalext/extensions/backend"
)

func closeFaults() []fault {
	return []fault{
		{"answers after Close", "Calls that begin after Close fail with ErrClosed.", answersClosed},
		{"fails to close twice", "A second Close does nothing and succeeds.", closesOnce},
		{"closes other stores too", "Close leaves other stores on the same items working.", closesOthers},
		{"forgets items when closed", "What was saved is there after Close.", forgetsItems},
		{"hangs in Close", "Close returns while calls run and items are watched.", hangsInClose},
		{"breaks calls when closed under them", "Calls under way while Close runs succeed or fail with ErrClosed, and items stay whole.", breaksCalls},
	}
}

func answersClosed(c *trial) {
	t := c.track(c.harness.Open(c.T))
	v := c.save(t.store, "k", []byte("kept"), backend.None)
	c.mustClose(t)
	c.wants("load", loadError(c.ctx, t.store, "k"), backend.ErrClosed)
	c.wants("save", saveError(c.ctx, t.store, "k", []byte("lost"), v), backend.ErrClosed)
	c.wants("delete", t.store.Delete(c.ctx, "k", v), backend.ErrClosed)
	for power, err := range c.usePowers(t.store, "k") {
		c.wants(power.String(), err, backend.ErrClosed)
	}
	c.holds(c.reopen(), "k", []byte("kept"))
}

func closesOnce(c *trial) {
	t := c.track(c.harness.Open(c.T))
	c.mustClose(t)
	for range 2 {
		again := &tracked{store: t.store}
		c.mustClose(again)
	}
}

func closesOthers(c *trial) {
	t := c.track(c.harness.Open(c.T))
	other := c.reopen()
	v := c.save(other, "k", []byte("one"), backend.None)
	c.mustClose(t)
	c.holds(other, "k", []byte("one"))
	c.save(other, "k", []byte("two"), v)
	c.holds(c.reopen(), "k", []byte("two"))
}

func forgetsItems(c *trial) {
	t := c.track(c.harness.Open(c.T))
	keep := c.reopen() // lets a store that lives in memory keep its items
	for _, key := range []string{"", "k"} {
		c.save(t.store, key, item(key), backend.None)
	}
	c.mustClose(t)
	for _, s := range []backend.Store{keep, c.reopen()} {
		c.holds(s, "", item(""))
		c.holds(s, "k", item("k"))
	}
}

func hangsInClose(c *trial) {
	t := c.track(c.harness.Open(c.T))
	if w, ok := backend.Can[backend.Watcher](t.store, backend.CanWatch); ok {
		c.watch(w, "k").begin(c.reopen())
	}
	ended := c.useUntilClosed(t.store, func(error) {})
	if !c.within(t.close()) {
		c.Errorf("Close doesn't return while the store is in use")
		return
	}
	for _, done := range ended {
		c.within(done) // what they write into goes with the case
	}
}

func breaksCalls(c *trial) {
	t := c.track(c.harness.Open(c.T))
	other := c.reopen()
	ended := c.useUntilClosed(t.store, func(err error) { c.Errorf("a call while Close runs: %v", err) })
	t.close()
	for _, done := range ended {
		if !c.within(done) {
			c.Fatalf("calls go on after Close")
		}
	}
	for _, key := range busyKeys {
		if _, _, err := (counter{key: key}).now(c.ctx, other); err != nil {
			c.Errorf("after Close under way, %q: %v", key, err)
		}
	}
}

var busyKeys = []string{"a", "b", "c"}

// useUntilClosed loads and saves until ErrClosed, and returns once that is well
// under way. What else fails goes to report, from several goroutines.
func (c *trial) useUntilClosed(s backend.Store, report func(error)) (ended []<-chan struct{}) {
	c.Helper()
	const underWay = 3
	var rounds [3]atomic.Int32
	for i, key := range busyKeys {
		n := counter{key: key, size: fitting(s, 10<<10), turn: together}
		ended = append(ended, c.beside(func() {
			c.countUntilClosed(c.ctx, s, n, &rounds[i], report)
		}))
	}
	for i := range rounds {
		if !c.eventually(func() bool { return rounds[i].Load() >= underWay }) {
			c.Fatalf("loads and saves don't succeed")
		}
	}
	return ended
}

func (c *trial) countUntilClosed(ctx context.Context, s backend.Store, n counter, rounds *atomic.Int32, report func(error)) {
	for ctx.Err() == nil {
		err := n.once(ctx, s)
		switch {
		case err == nil:
			rounds.Add(1)
		case errors.Is(err, backend.ErrClosed):
			return
		case ctx.Err() == nil:
			report(err)
			return
		}
	}
}
