package backendtest

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func watchFaults() []fault {
	return []fault{
		{"misses the last change in Watch", "After the last change by anyone, Watch yields the item's version.", missesLastChange},
		{"misses a delete in Watch", "Watch yields the version None when the item is deleted.", missesDelete},
		{"watches other items", "Watch yields versions of the one item only.", watchesOthers},
		{"watches beyond the context", "Watch ends with its context, without an error of its own, and when the caller stops.", watchesOn},
		{"leaves goroutines behind after Watch", "Nothing of a watch is left once it has ended.", leavesGoroutines},
	}
}

// sighting is what a watch yielded.
type sighting struct {
	version backend.Version
	err     error
}

// watching is a watch under way.
type watching struct {
	c      *trial
	key    string
	cancel context.CancelFunc
	saved  map[backend.Version]bool // by begin
	seen   chan sighting            // closed at the end
	done   <-chan struct{}
}

func (c *trial) watch(w backend.Watcher, key string) *watching {
	ctx, cancel := context.WithCancel(c.ctx)
	x := &watching{c: c, key: key, cancel: cancel, saved: map[backend.Version]bool{}, seen: make(chan sighting)}
	x.done = c.beside(func() {
		defer close(x.seen)
		for v, err := range w.Watch(ctx, key) {
			select {
			case x.seen <- sighting{v, err}:
			case <-ctx.Done():
			}
		}
	})
	return x
}

// begin saves until the watch has seen something, since nobody tells when a
// watch has begun, and returns what is stored then.
func (x *watching) begin(s backend.Store) backend.Version {
	x.c.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(x.c.patience)
	blob, _ := s.Load(x.c.ctx, x.key, backend.None)
	for v := blob.Version; ; {
		v = x.c.save(s, x.key, []byte(rand.Text()), v)
		x.saved[v] = true
		select {
		case got, ok := <-x.seen:
			if !ok || got.err != nil {
				x.c.Fatalf("the watch ended early: %v", got.err)
			}
			return v
		case <-deadline:
			x.c.Fatalf("Watch yields nothing")
		case <-tick.C:
		}
	}
}

// until reads until the version comes.
func (x *watching) until(want backend.Version) {
	x.c.Helper()
	deadline := time.After(x.c.patience)
	for {
		select {
		case got, ok := <-x.seen:
			if !ok || got.err != nil {
				x.c.Fatalf("the watch ended early: %v", got.err)
			}
			if got.version == want {
				return
			}
		case <-deadline:
			x.c.Fatalf("Watch doesn't yield the version %s, which came last", short(want))
		}
	}
}

// watcher returns a store to write with and another that can watch.
func (c *trial) watcher() (writer backend.Store, w backend.Watcher, ok bool) {
	c.Helper()
	writer = c.open()
	w, ok = announced[backend.Watcher](c, c.reopen(), backend.CanWatch)
	return writer, w, ok
}

func missesLastChange(c *trial) {
	s, w, ok := c.watcher()
	if !ok {
		return
	}
	x := c.watch(w, "k")
	v := x.begin(s)
	for range 3 {
		for range 5 {
			v = c.save(s, "k", []byte(rand.Text()), v)
		}
		x.until(v)
	}
}

func missesDelete(c *trial) {
	s, w, ok := c.watcher()
	if !ok {
		return
	}
	x := c.watch(w, "k")
	c.remove(s, "k", x.begin(s))
	x.until(backend.None)
}

// watchesOthers makes more changes to another item than to the one watched, so
// that stores which count versions per item show it too.
func watchesOthers(c *trial) {
	const changes = 30
	s, w, ok := c.watcher()
	if !ok {
		return
	}
	x := c.watch(w, "")
	v := x.begin(s)
	others := map[backend.Version]bool{}
	other := backend.None
	for range changes {
		other = c.save(s, "k", []byte(rand.Text()), other)
		others[other] = !x.saved[other]
	}
	last := c.save(s, "", []byte("last"), v)
	others[last] = false
	for deadline := time.After(c.patience); ; {
		select {
		case got, ok := <-x.seen:
			if others[got.version] {
				c.Fatalf("a watch of the main item yields another item's version")
			}
			if !ok || got.version == last {
				return
			}
		case <-deadline: // another case reports that
			return
		}
	}
}

func watchesOn(c *trial) {
	s, w, ok := c.watcher()
	if !ok {
		return
	}
	x := c.watch(w, "k")
	x.begin(s)
	x.cancel()
	for got := range x.seen {
		if got.err != nil && !errors.Is(got.err, context.Canceled) {
			c.Errorf("the end of the context shows as %v", got.err)
		}
	}
	if !c.within(x.done) {
		c.Fatalf("Watch goes on after its context ended")
	}
	stopped := c.watchOnce(w)
	for !c.watchedOnce(s, stopped) {
	}
}

// watchOnce watches until something comes, and closes what it returns.
func (c *trial) watchOnce(w backend.Watcher) <-chan struct{} {
	return c.beside(func() {
		for range w.Watch(c.ctx, "once") {
			return
		}
	})
}

// watchedOnce makes a change, and tells whether the watch has ended.
func (c *trial) watchedOnce(s backend.Store, stopped <-chan struct{}) bool {
	c.Helper()
	blob, _ := s.Load(c.ctx, "once", backend.None)
	c.save(s, "once", []byte(rand.Text()), blob.Version)
	select {
	case <-stopped:
		return true
	case <-time.After(5 * time.Millisecond):
		return false
	}
}
