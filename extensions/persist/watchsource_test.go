package persist

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"github.com/fsnotify/fsnotify"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/extensions/backend/memory"
)

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
