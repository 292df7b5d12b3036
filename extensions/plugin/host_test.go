package plugin

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/wire"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func command(t *testing.T, mode string, env, args []string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	// The race detector would keep each exit waiting for a second.
	cmd.Env = append(os.Environ(), modeEnv+"="+mode, "GORACE=atexit_sleep_ms=0")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

func run(t *testing.T, mode string, env, args []string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := command(t, mode, env, args)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			t.Fatal(err)
		}
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// host is a minimal host: it holds the plugin's standard input and reads the
// handshake.
type host struct {
	cmd    *exec.Cmd
	stdin  interface{ Close() error }
	dir    string // of the socket
	line   string // the handshake
	extra  []string
	stderr lockedBuffer
	ended  chan struct{}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start starts the plugin and returns once it has printed its handshake.
func start(t *testing.T, mode string, env ...string) *host {
	t.Helper()
	h := &host{dir: shortDir(t), ended: make(chan struct{})}
	h.cmd = command(t, mode, append([]string{
		wire.CookieKey + "=" + wire.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1", envSocketDir + "=" + h.dir,
	}, env...), nil)
	h.cmd.Stderr = &h.stderr
	stdin, err := h.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.stdin = stdin
	h.launch(t)
	return h
}

func (h *host) launch(t *testing.T) {
	t.Helper()
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make(chan string, 1)
	go func() {
		defer close(h.ended)
		lines := bufio.NewScanner(stdout)
		if lines.Scan() {
			first <- lines.Text()
		}
		close(first)
		for lines.Scan() {
			h.extra = append(h.extra, lines.Text())
		}
		_ = h.cmd.Wait()
	}()
	t.Cleanup(func() { _ = h.cmd.Process.Kill(); <-h.ended })
	select {
	case h.line = <-first:
	case <-time.After(patience):
		t.Fatal("no handshake")
	}
	if h.line == "" {
		<-h.ended
		t.Fatalf("no handshake: %s", h.stderr.String())
	}
}

// shortDir is a private directory whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sdk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (h *host) socket() string { return strings.Split(h.line, "|")[3] }

func (h *host) dial(t *testing.T) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("unix:"+h.socket(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// open opens a store of the plugin, with a directory where it leaves marks.
func (h *host) open(t *testing.T) (s backend.Store, conn *grpc.ClientConn, marks string) {
	t.Helper()
	conn, marks = h.dial(t), t.TempDir()
	c, err := wire.NewClient(t.Context(), conn, wire.Options{})
	if err != nil {
		t.Fatalf("%v; stderr: %s", err, h.stderr.String())
	}
	s, err = c.Open(t.Context(), backend.Config{Path: marks, Secrets: map[string]backend.Secret{"password": backend.Secret("swordfish")}})
	if err != nil {
		t.Fatal(err)
	}
	return s, conn, marks
}

// over waits for the end, which must be an orderly one that leaves no socket.
func (h *host) over(t *testing.T) {
	t.Helper()
	select {
	case <-h.ended:
	case <-time.After(patience):
		t.Fatalf("the plugin still runs: %s", h.stderr.String())
	}
	if code := h.cmd.ProcessState.ExitCode(); code != wire.ExitDone {
		t.Errorf("ended with %v: %s", h.cmd.ProcessState, h.stderr.String())
	}
	if left, _ := filepath.Glob(filepath.Join(h.dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if len(h.extra) > 0 {
		t.Errorf("on standard output: %q", h.extra)
	}
}

func (h *host) alive(t *testing.T) {
	t.Helper()
	select {
	case <-h.ended:
		t.Fatalf("the plugin has ended: %s", h.stderr.String())
	default:
	}
}

func load(t *testing.T, s backend.Store, key string) string {
	t.Helper()
	blob, err := s.Load(t.Context(), key, "")
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return string(blob.Data)
}
