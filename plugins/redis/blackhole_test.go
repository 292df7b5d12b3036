package redis

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// blackhole is a server that takes connections and never answers. reached counts
// them, as far as somebody looks.
func blackhole(t *testing.T) (address string, reached <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	seen := make(chan struct{}, 1)
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case seen <- struct{}{}:
			default:
			}
			work.Go(func() { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String(), seen
}

// Nobody who begins or ends a watch waits for a server that is away, however many
// items are watched.
func TestWatchesOfAServerThatNeverAnswers(t *testing.T) {
	t.Parallel()
	address, reached := blackhole(t)
	at, err := readPlace(backend.Settings{"address": address}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(at, usualLimits)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var watches sync.WaitGroup
	for i := range 300 {
		watches.Go(func() {
			for range s.Watch(ctx, fmt.Sprint("user ", i)) {
			}
		})
	}
	<-reached
	began := time.Now()
	for i := range 300 {
		w := s.changes.join(fmt.Sprint("another ", i))
		s.changes.wake(w.channel)
		s.changes.leave(w)
	}
	cancel()
	watches.Wait()
	if took := time.Since(began); took > 10*followTimeout {
		t.Errorf("to join, wake, leave and end took %s", took)
	}
}

// One subscription follows what is watched, whichever order that changes in.
func TestDifference(t *testing.T) {
	t.Parallel()
	c := &changes{watches: map[string]map[*watch]bool{"a": {}, "b": {}}}
	sub := newSubscription(nil)
	for _, step := range []struct {
		watched     []string
		more, fewer int
	}{
		{[]string{"a", "b"}, 2, 0},
		{[]string{"a", "b"}, 0, 0},
		{[]string{"b", "c"}, 1, 1},
		{nil, 0, 2},
		{[]string{"a"}, 1, 0},
	} {
		c.watches = map[string]map[*watch]bool{}
		for _, channel := range step.watched {
			c.watches[channel] = map[*watch]bool{}
		}
		if more, fewer := c.difference(sub); len(more) != step.more || len(fewer) != step.fewer {
			t.Errorf("%q: %q more, %q fewer", step.watched, more, fewer)
		}
	}
}
