package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
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

func TestWatchTellsOfOthersAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			save(t, mine, "before")
			ch := changes(t, mine)
			for i := range 10 {
				save(t, mine, fmt.Sprint("ours ", i))
				save(t, mine.Key("else"), fmt.Sprint("ours ", i))
			}
			none(t, ch)
			save(t, theirs.Key("else"), "theirs") // another item
			none(t, ch)
			save(t, theirs, "theirs")
			if c := next(t, ch); c.Err != nil || c.Version != version(t, mine) {
				t.Errorf("%+v", c)
			}
			if err := theirs.Delete(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c := next(t, ch); c != (Change{}) {
				t.Errorf("a delete gave %+v", c)
			}
			save(t, mine, "ours")
			if err := mine.Delete(t.Context()); err != nil {
				t.Fatal(err)
			}
			none(t, ch)
		})
	}
}

// What others stored and an update of ours took in at once was a change of
// theirs all the same.
func TestWatchTellsOfWhatWeOverwrote(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			ch := changes(t, mine)
			for i := range 5 {
				save(t, theirs, fmt.Sprint("theirs ", i))
				err := mine.Update(t.Context(), func(old []byte) ([]byte, error) { return append(bytes.Clone(old), " and ours"...), nil })
				if err != nil {
					t.Fatal(err)
				}
			}
			next(t, ch)
			for rest := true; rest; {
				select {
				case <-ch:
				case <-time.After(5 * usualPace.patience):
					rest = false
				}
			}
			save(t, mine, "ours")
			none(t, ch)
		})
	}
}

func TestWatchTellsChangesApartOneByOne(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			save(t, theirs, "before")
			ch := changes(t, mine)
			for i := range 10 {
				begun := time.Now()
				save(t, theirs, fmt.Sprint("change ", i))
				if c := next(t, ch); c.Err != nil || c.Version != version(t, mine) {
					t.Errorf("%d: %+v", i, c)
				}
				select {
				case c := <-ch:
					t.Errorf("%d: told twice: %+v", i, c)
				case <-time.After(time.Until(begun.Add(100 * time.Millisecond))):
				}
			}
		})
	}
}

func TestWatchTellsTheLastOfManyChanges(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			ch := changes(t, mine)
			for i := range 300 {
				save(t, theirs, fmt.Sprint("change ", i))
			}
			// Nobody received until now, and the writer didn't wait.
			until(t, ch, version(t, mine))
			none(t, ch)
		})
	}
}

func TestWatchWhileEverybodyWrites(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			ch := changes(t, mine)
			var wg sync.WaitGroup
			for _, p := range []*Persistence{mine, mine, theirs} {
				wg.Go(func() {
					for range 30 {
						err := p.Update(t.Context(), func(old []byte) ([]byte, error) { return append(bytes.Clone(old), 'x'), nil })
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			save(t, theirs, "last")
			until(t, ch, version(t, mine))
		})
	}
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfWatch {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mine, theirs := watched(t, kind)
			ctx, cancel := context.WithCancel(t.Context())
			ch, err := mine.Watch(ctx)
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			if c, ok := <-ch; ok {
				t.Errorf("told %+v", c)
			}
			if _, err := mine.Watch(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("a ctx that has ended: %v", err)
			}
			ch = changes(t, mine)
			if err := errors.Join(mine.Close(), mine.Close()); err != nil {
				t.Fatal(err)
			}
			if c := next(t, ch); !errors.Is(c.Err, backend.ErrClosed) {
				t.Errorf("Close gave %+v", c)
			}
			if c, ok := <-ch; ok {
				t.Errorf("and then %+v", c)
			}
			if _, err := mine.Watch(t.Context()); !errors.Is(err, backend.ErrClosed) {
				t.Errorf("a store that is closed: %v", err)
			}
			save(t, theirs, "x")
		})
	}
}

func TestWatchOfAStoreThatCantBeOpened(t *testing.T) {
	t.Parallel()
	p := Later(func() (*Persistence, error) { return nil, backend.ErrDenied })
	if ch, err := p.Watch(t.Context()); !errors.Is(err, backend.ErrDenied) || ch != nil {
		t.Errorf("got %v", err)
	}
}

func TestWatchTellsWhenTheItemCantBeRead(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	save(t, p, "x")
	var mu sync.Mutex
	broken := backend.ErrLocked
	set := func(err error) { mu.Lock(); defer mu.Unlock(); broken = err }
	s.onLoad = func(context.Context) error { mu.Lock(); defer mu.Unlock(); return broken }
	p.opening.store.pace.net = 5 * time.Millisecond
	ch := changes(t, p)
	if c := next(t, ch); !errors.Is(c.Err, backend.ErrLocked) {
		t.Errorf("%+v", c)
	}
	none(t, ch) // the same again is nothing new
	set(backend.ErrDenied)
	if c := next(t, ch); !errors.Is(c.Err, backend.ErrDenied) {
		t.Errorf("%+v", c)
	}
	set(nil)
	if c := next(t, ch); c.Err != nil || c.Version != atomicfile.VersionOf([]byte("x")) {
		t.Errorf("%+v", c)
	}
}

func TestWatchLogsOnceThatItPolls(t *testing.T) {
	t.Parallel()
	for name, why := range map[string]error{"instances": syscall.EMFILE, "watches": syscall.ENOSPC} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			mine, theirs := deafened(first(onDisk(t, path)), why), first(onDisk(t, path))
			var logged bytes.Buffer
			mine.opening.store.log = slog.New(slog.NewTextHandler(&logged, nil))
			ctx, cancel := context.WithCancel(t.Context())
			ch, err := mine.Watch(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				save(t, theirs, fmt.Sprint(i))
				next(t, ch)
			}
			cancel()
			for range ch {
			}
			if text := logged.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, why.Error()) {
				t.Errorf("logged %q", text)
			}
		})
	}
}

// silent is a store whose watch breaks now and then, and misses what happens
// meanwhile.
type silent struct {
	*spy
	err error
}

func (s silent) Watch(ctx context.Context, _ string) iter.Seq2[backend.Version, error] {
	return func(yield func(backend.Version, error) bool) { yield(backend.None, s.err) }
}

func TestWatchOfAStoreThatStopsWatching(t *testing.T) {
	t.Parallel()
	mem, path := &memory.Backend{}, tempPath(t)
	_, s := over(t, "memory", mem, path)
	var logged bytes.Buffer
	p := New("memory", silent{s, backend.ErrUnavailable}, backend.Config{}, &Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	other, _ := over(t, "memory", mem, path)
	ctx, cancel := context.WithCancel(t.Context())
	ch, err := p.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		save(t, other, fmt.Sprint(i))
		if c := next(t, ch); c.Err != nil || c.Version != version(t, other) {
			t.Errorf("%+v", c)
		}
	}
	cancel()
	for range ch {
	}
	if text := logged.String(); strings.Count(text, "\n") != 1 {
		t.Errorf("logged %q", text)
	}
}

func TestManyWatchesShareOneQueue(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	mine, theirs := first(onDisk(t, path)), first(onDisk(t, path))
	opened := 0
	mine.opening.store.notices = &notices{open: func() (*fsnotify.Watcher, error) { opened++; return fsnotify.NewWatcher() }}
	all := map[string]<-chan Change{}
	for i := range 100 {
		all[fmt.Sprint("user ", i)] = changes(t, mine.Key(fmt.Sprint("user ", i)))
	}
	for name := range all {
		save(t, theirs.Key(name), name)
	}
	for name, ch := range all {
		until(t, ch, atomicfile.VersionOf([]byte(name)))
	}
	if opened != 1 {
		t.Errorf("%d queues", opened)
	}
}
