package pluginhost

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// soon is ten times what the slowest thing here needs.
const soon = 30 * time.Second

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(soon)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
}

// A syncBuffer collects logs.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func logTo(b *syncBuffer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: level}))
}

// newHost is a Host that is closed, and checked for what it leaves behind.
func newHost(t *testing.T, o *Options) *Host {
	t.Helper()
	if o == nil {
		o = &Options{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := New(o)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("closing the host: %v", err)
		}
	})
	return h
}

func mustOpen(t *testing.T, h *Host, name string) (backend.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data")
	s, err := openStore(h, name, path)
	if err != nil {
		t.Fatalf("opening a store of %s: %v", name, err)
	}
	return s, path
}

func pidOf(t *testing.T, s backend.Store) int {
	t.Helper()
	blob, err := s.Load(t.Context(), "pid", "")
	if err != nil {
		t.Fatalf("asking the plugin for its pid: %v", err)
	}
	pid, err := strconv.Atoi(string(blob.Data))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

// runProgram runs the test binary as a host of its own.
func runProgram(t *testing.T, name string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append([]string{programEnv + "=" + name,
		"PLUGINHOST_TEST_PATH=" + filepath.Join(t.TempDir(), "data")}, env...)...)
	return cmd
}
