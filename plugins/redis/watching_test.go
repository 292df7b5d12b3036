//go:build redis

package redis

import (
	"context"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// watched is a watch under way.
type watched struct {
	seen chan backend.Version
	err  error // once seen is closed
	stop context.CancelFunc
}

func watching(t *testing.T, s backend.Store, key string) *watched {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	w := &watched{seen: make(chan backend.Version), stop: stop}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(w.seen)
		for v, err := range s.(backend.Watcher).Watch(ctx, key) {
			if w.err = err; err != nil {
				return
			}
			select {
			case w.seen <- v:
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() { stop(); <-done })
	return w
}

// until waits for a version.
func (w *watched) until(t *testing.T, want backend.Version) {
	t.Helper()
	deadline := time.After(patienceOfTests)
	for {
		select {
		case v, ok := <-w.seen:
			if !ok {
				t.Fatalf("the watch ended: %v", w.err)
			}
			if v == want {
				return
			}
		case <-deadline:
			t.Fatalf("the watch doesn't yield %q", want)
		}
	}
}

// begun changes the item until the watch yields something, and returns the
// item's version then.
func (w *watched) begun(t *testing.T, s backend.Store, key string) backend.Version {
	t.Helper()
	blob, _ := s.Load(t.Context(), key, backend.None)
	for v := blob.Version; ; {
		v = save(t, s, key, strconv.FormatInt(time.Now().UnixNano(), 10), v)
		select {
		case <-w.seen:
			return v
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// both opens two stores on the same items.
func both(t *testing.T, b *redisBackend, settings, others backend.Settings) (watcher, writer backend.Store) {
	t.Helper()
	config := unused(t.TempDir(), settings, nil)
	var all []backend.Store
	for _, more := range []backend.Settings{nil, others} {
		config.Settings = maps.Clone(config.Settings)
		maps.Copy(config.Settings, more)
		s, err := b.Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		all = append(all, s)
	}
	return all[0], all[1]
}

// onlyTold looks at watched items when there is a notice, and never else.
func onlyTold() *redisBackend {
	l := usualLimits
	l.look = time.Hour
	return &redisBackend{limits: l}
}

// untold looks often.
func untold() *redisBackend {
	l := usualLimits
	l.look = 50 * time.Millisecond
	return &redisBackend{limits: l}
}
