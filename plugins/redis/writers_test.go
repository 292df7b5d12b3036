//go:build redis

package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
)

// opened is an item as a program has it.
func opened(ctx context.Context, c backend.Config) (*persist.Persistence, error) {
	s, err := Backend().Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return persist.New(name, s, c, nil), nil
}

// add puts a line into the item, unless it is there.
func add(ctx context.Context, p *persist.Persistence, line string) error {
	return p.Update(ctx, func(old []byte) ([]byte, error) {
		if bytes.Contains(old, []byte(line+"\n")) {
			return old, nil
		}
		return append(bytes.Clone(old), line+"\n"...), nil
	})
}

// writers change one item all the time, each with a store of its own.
type writers struct {
	config backend.Config
	stop   chan struct{}
	work   sync.WaitGroup

	mu       sync.Mutex
	told     map[string]time.Time // when a change was acknowledged
	failures map[error]int        // by kind
	last     error
}

func startWriters(t *testing.T, n int, settings backend.Settings) *writers {
	t.Helper()
	w := &writers{
		config: unused(t.TempDir(), settings, nil), stop: make(chan struct{}),
		told: map[string]time.Time{}, failures: map[error]int{},
	}
	for i := range n {
		p, err := opened(t.Context(), w.config)
		if err != nil {
			t.Fatal(err)
		}
		w.work.Go(func() {
			defer p.Close()
			w.write(t.Context(), p, i)
		})
	}
	w.more(t, 5*n)
	return w
}

func (w *writers) write(ctx context.Context, p *persist.Persistence, number int) {
	for i := 0; ; i++ {
		select {
		case <-w.stop:
			return
		case <-ctx.Done():
			return
		case <-time.After(time.Millisecond):
		}
		line := fmt.Sprintf("%d-%d", number, i)
		err := add(ctx, p, line)
		w.mu.Lock()
		if err == nil {
			w.told[line] = time.Now()
		} else {
			w.failures[backend.KindOf(err)]++
			w.last = err
		}
		w.mu.Unlock()
	}
}

func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.told)
}

// more waits until so many further changes are acknowledged.
func (w *writers) more(t *testing.T, n int) {
	t.Helper()
	want := w.count() + n
	eventually(t, "changes go on", func() error {
		if w.count() >= want {
			return nil
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return fmt.Errorf("failures by kind %v, the last: %w", w.failures, w.last)
	})
}

// end stops the writers, and returns what was acknowledged and isn't there. What
// failed may be there.
func (w *writers) end(t *testing.T) (lost map[string]time.Time) {
	t.Helper()
	close(w.stop)
	w.work.Wait()
	p, err := opened(t.Context(), w.config)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	data, err := p.Load(t.Context())
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		t.Fatal(err)
	}
	there := map[string]int{}
	for line := range strings.Lines(string(data)) {
		there[strings.TrimSpace(line)]++
	}
	lost = map[string]time.Time{}
	for line, at := range w.told {
		if there[line] == 0 {
			lost[line] = at
		}
		if there[line] > 1 {
			t.Errorf("%s is there %d times", line, there[line])
		}
	}
	for kind := range w.failures {
		if kind != backend.ErrUnavailable && kind != backend.ErrTimeout {
			t.Errorf("a change failed with %v: %v", kind, w.last)
		}
	}
	t.Logf("%d acknowledged, %d of them lost; failures by kind: %v, the last: %v", len(w.told), len(lost), w.failures, w.last)
	return lost
}

// loseNothing ends the writers and expects all that was acknowledged.
func (w *writers) loseNothing(t *testing.T) {
	t.Helper()
	if lost := w.end(t); len(lost) > 0 {
		t.Errorf("acknowledged, and lost: %v", lost)
	}
}

// addAll is a process that adds its lines, whatever others do.
func addAll(place, number string, lines int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, err := readWorkplace(place)
	if err != nil {
		return err
	}
	p, err := opened(ctx, c)
	if err != nil {
		return err
	}
	defer p.Close()
	for i := range lines {
		err := p.Update(ctx, func(old []byte) ([]byte, error) {
			return append(bytes.Clone(old), fmt.Sprintf("%s-%d\n", number, i)...), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func placeFile(t *testing.T, c backend.Config) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "place")
	if err := writeWorkplace(path, c); err != nil {
		t.Fatal(err)
	}
	return path
}
