package persist

import (
	"context"
	"iter"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
)

func changes(t *testing.T, p *Persistence) <-chan Change {
	t.Helper()
	ch, err := p.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// next waits for a change.
func next(t *testing.T, ch <-chan Change) Change {
	t.Helper()
	select {
	case c, ok := <-ch:
		if !ok {
			t.Fatal("the watch has ended")
		}
		return c
	case <-time.After(room):
		t.Fatal("no change was told")
	}
	return Change{}
}

// until receives until a version is told: a change may come in several parts.
func until(t *testing.T, ch <-chan Change, want backend.Version) {
	t.Helper()
	for c := next(t, ch); c.Version != want || c.Err != nil; c = next(t, ch) {
		t.Logf("on the way: %.8s, %v", c.Version, c.Err)
	}
}

// none gives whatever was told wrongly the time to show.
func none(t *testing.T, ch <-chan Change) {
	t.Helper()
	select {
	case c := <-ch:
		t.Errorf("told: %.8s, %v", c.Version, c.Err)
	case <-time.After(5 * usualPace.patience):
	}
}

// version is what is stored now.
func version(t *testing.T, p *Persistence) backend.Version {
	t.Helper()
	b, err := p.opening.store.load(t.Context(), p.key, backend.None)
	if err != nil {
		t.Fatal(err)
	}
	return b.Version
}

// deafened makes a persistence poll, quickly.
func deafened(p *Persistence, why error) *Persistence {
	s := p.opening.store
	s.notices = &notices{open: func() (*fsnotify.Watcher, error) { return nil, why }}
	s.pace.poll, s.log = 5*time.Millisecond, slog.New(slog.DiscardHandler)
	return p
}

// watched are two persistences of one item for each way of noticing changes.
func watched(t *testing.T, kind string) (mine, theirs *Persistence) {
	path := tempPath(t)
	switch kind {
	case "file":
		return first(onDisk(t, path)), first(onDisk(t, path))
	case "file, polled":
		return deafened(first(onDisk(t, path)), syscall.EMFILE), first(onDisk(t, path))
	}
	mem := &memory.Backend{}
	open := func() *Persistence {
		p, s := over(t, "keys", mem, path)
		s.info = func(i backend.Info) backend.Info {
			switch kind {
			case "key store":
				i.Stamp, i.Caps = backend.StampSignal, 0
			case "store without a file":
				i.Caps = backend.CanCAS
			}
			return i
		}
		c := p.opening.store.config
		p = New("keys", spyThatWatches{s}, c, nil)
		p.opening.store.pace.ask = 5 * time.Millisecond
		return p
	}
	return open(), open()
}

// spyThatWatches passes on the power that a spy hides.
type spyThatWatches struct{ *spy }

func (s spyThatWatches) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	return s.spy.Store.(backend.Watcher).Watch(ctx, key)
}

var kindsOfWatch = []string{"file", "file, polled", "key store", "store that watches", "store without a file"}
