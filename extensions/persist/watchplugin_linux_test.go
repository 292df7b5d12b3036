package persist

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// inPlugin are two persistences of one item in a plugin that can watch.
func inPlugin(t *testing.T, log *slog.Logger) (mine, theirs *Persistence) {
	t.Helper()
	host := pluginhost.New(nil)
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := host.Backend(t.Context(), "memory")
	if err != nil {
		t.Fatal(err)
	}
	path := tempPath(t)
	open := func() *Persistence {
		c := backend.Config{Location: path, Path: path}
		store, err := b.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		p := New("memory", store, c, &Options{Logger: log})
		t.Cleanup(func() { _ = p.Close() })
		return p
	}
	return open(), open()
}

func TestWatchAcrossTheWire(t *testing.T) {
	t.Parallel()
	mine, theirs := inPlugin(t, nil)
	mine.opening.store.pace.net = room // by the plugin's word
	ch := changes(t, mine)
	for i := range 5 {
		save(t, theirs, fmt.Sprint("theirs ", i))
		if c := next(t, ch); c.Err != nil || c.Version != version(t, mine) {
			t.Errorf("%d: %+v", i, c)
		}
		save(t, mine, fmt.Sprint("ours ", i))
		none(t, ch)
	}
}

// syncBuffer is a log that two goroutines share.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *syncBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// Not parallel: it ends every plugin of this process.
func TestWatchOutlivesThePlugin(t *testing.T) {
	var logged syncBuffer
	mine, theirs := inPlugin(t, slog.New(slog.NewTextHandler(&logged, nil)))
	save(t, theirs, "gone with the plugin")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ch, err := mine.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	killPlugins(t)
	until(t, ch, backend.None)
	save(t, theirs, "anew")
	until(t, ch, version(t, mine))
	if !strings.Contains(logged.String(), "stopped watching") {
		t.Errorf("logged %q", logged.String())
	}
}

// killPlugins ends this test's own plugin processes: what it starts otherwise
// isn't asked for a backend.
func killPlugins(t *testing.T) {
	t.Helper()
	children, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, file := range children {
		pids, _ := os.ReadFile(file)
		for _, pid := range strings.Fields(string(pids)) {
			environ, _ := os.ReadFile("/proc/" + pid + "/environ")
			if !bytes.Contains(environ, []byte("MSALEXT_PLUGIN")) {
				continue
			}
			var n int
			if _, err := fmt.Sscan(pid, &n); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(n, syscall.SIGKILL); err == nil {
				killed++
			}
		}
	}
	if killed == 0 {
		t.Fatal("no plugin runs")
	}
}
