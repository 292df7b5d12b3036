//go:build unix

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/peercred"
	"github.com/msalext/msalext/internal/wire"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// rawNoise writes past package os.
func rawNoise() {
	_, _ = unix.Write(1, []byte("raw noise\n"))
	cmd := exec.Command("/bin/sh", "-c", "echo noise of a child")
	cmd.Stdout = os.NewFile(1, "one")
	_ = cmd.Run()
}

func processState() string {
	var core unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_CORE, &core)
	mask := unix.Umask(0o077)
	return fmt.Sprintf("core %d %d, umask %o, dumpable %d", core.Cur, core.Max, mask, dumpable())
}

// otherMode is a stranger that tries to use a plugin.
func otherMode(socket string) {
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err == nil {
		_, err = wire.NewClient(context.Background(), conn, wire.Options{})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	h := start(t, "main")
	if !regexp.MustCompile(`^1\|1\|unix\|[^|]+\|grpc\|$`).MatchString(h.line) || filepath.Dir(h.socket()) != h.dir {
		t.Errorf("%q", h.line)
	}
	if info, err := os.Stat(h.socket()); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can use the socket: %v, %v", info.Mode(), err)
	}
	s, conn, _ := h.open(t)
	load(t, s, "print")
	_ = conn.Close()
	h.over(t)
}

// TestEndOfStdin isn't parallel, since it measures.
func TestEndOfStdin(t *testing.T) {
	h := start(t, "main")
	s, _, marks := h.open(t)
	began := time.Now()
	_ = h.stdin.Close()
	h.over(t)
	if took := time.Since(began); took > grace {
		t.Errorf("it waited for something: %v", took)
	}
	if !marked(marks, "closed") {
		t.Error("the store wasn't closed")
	}
	if _, err := os.Stat(h.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's directory is left: %v", err)
	}
	if _, err := s.Load(t.Context(), "", ""); !errors.Is(err, wire.ErrLost) {
		t.Errorf("a call to a plugin that is gone: %v", err)
	}
}

func TestNobodyConnects(t *testing.T) {
	t.Parallel()
	start(t, "impatient").over(t)
}

func TestConnectedInTime(t *testing.T) {
	t.Parallel()
	h := start(t, "main")
	a, first, marks := h.open(t)
	b, second, _ := h.open(t)
	_ = first.Close()
	load(t, b, "")
	if _, err := a.Load(t.Context(), "", ""); !errors.Is(err, wire.ErrLost) {
		t.Errorf("%v", err)
	}
	_ = second.Close()
	h.over(t)
	if !marked(marks, "closed") {
		t.Error("the store wasn't closed")
	}
}

func TestStdinThatIsNoPipe(t *testing.T) {
	t.Parallel()
	h := &host{dir: shortDir(t), ended: make(chan struct{})}
	h.cmd = command(t, "main", []string{wire.CookieKey + "=" + wire.CookieValue, envSocketDir + "=" + h.dir}, nil)
	h.cmd.Stderr = &h.stderr // its input is /dev/null, which is at its end
	h.launch(t)
	s, conn, _ := h.open(t)
	load(t, s, "")
	_ = conn.Close()
	h.over(t)
}

func TestSignals(t *testing.T) {
	t.Parallel()
	h := start(t, "main")
	s, _, marks := h.open(t)
	loaded := make(chan error, 1)
	go func() { _, err := s.Load(t.Context(), "busy", ""); loaded <- err }()
	waitMark(t, marks, "busy")
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE, syscall.SIGTERM} {
		if err := h.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	// The shutdown refuses other calls, which shows that it has begun.
	for deadline := time.Now().Add(patience); ; {
		if _, err := s.Load(t.Context(), "", ""); errors.Is(err, wire.ErrLost) {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("no shutdown: %v", err)
		}
	}
	h.alive(t)
	if marked(marks, "closed") {
		t.Error("the store was closed under a running call")
	}
	mark(marks, "go")
	if err := <-loaded; err != nil || !marked(marks, "finished") {
		t.Errorf("the running call: %v", err)
	}
	h.over(t)
	if !marked(marks, "closed") {
		t.Error("the store wasn't closed")
	}
}

func TestHostDiesInACall(t *testing.T) {
	t.Parallel()
	h := start(t, "main")
	s, _, marks := h.open(t)
	go func() { _, _ = s.Load(t.Context(), "busy", "") }()
	waitMark(t, marks, "busy")
	_ = h.stdin.Close()
	for deadline := time.Now().Add(patience); ; {
		if _, err := s.Load(t.Context(), "", ""); errors.Is(err, wire.ErrLost) {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("no shutdown: %v", err)
		}
	}
	h.alive(t)
	mark(marks, "go")
	h.over(t)
	if !marked(marks, "finished") || !marked(marks, "closed") {
		t.Error("the running call was cut short")
	}
}

func TestTerminalSignalsDoNotEndIt(t *testing.T) {
	t.Parallel()
	h := start(t, "main")
	s, conn, _ := h.open(t)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE} {
		if err := h.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		load(t, s, "")
	}
	_ = conn.Close()
	h.over(t)
}

func TestStrangers(t *testing.T) {
	t.Parallel()
	if !peercred.TellsPID {
		return // the peercred package proves what other systems can tell
	}
	h := start(t, "main")
	cmd := command(t, h.socket(), nil, nil)
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Error("another process got in")
	} else if !strings.Contains(string(out), "lost") {
		t.Errorf("%s", out)
	}
	s, conn, _ := h.open(t) // the parent still does
	load(t, s, "")
	_ = conn.Close()
	h.over(t)
	if !strings.Contains(h.stderr.String(), "refused a connection") {
		t.Errorf("not logged: %s", h.stderr.String())
	}
}

func TestAnotherUserCannotConnect(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 || !peercred.TellsPID {
		return // only root can become somebody else, and /proc is needed to start the binary
	}
	h := start(t, "main")
	for path, mode := range map[string]os.FileMode{h.dir: 0o755, h.socket(): 0o777} {
		if err := os.Chmod(path, mode); err != nil { // leaves the plugin's own check as the only guard
			t.Fatal(err)
		}
	}
	cmd := command(t, h.socket(), nil, nil)
	cmd.Path = "/proc/self/exe"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if _, ran := errors.AsType[*exec.ExitError](err); !ran || !strings.Contains(string(out), "lost") {
		t.Errorf("%v: %s", err, out)
	}
	_, conn, _ := h.open(t)
	_ = conn.Close()
	h.over(t)
	if !strings.Contains(h.stderr.String(), "runs as user 65534") {
		t.Errorf("not refused for its user: %s", h.stderr.String())
	}
}

func TestPanicInACall(t *testing.T) {
	t.Parallel()
	h := start(t, "main")
	s, conn, _ := h.open(t)
	_, err := s.Load(t.Context(), "panic", "")
	if !errors.Is(err, backend.ErrUnavailable) || errors.Is(err, wire.ErrLost) || strings.Contains(err.Error(), "token") {
		t.Errorf("%v", err)
	}
	load(t, s, "")
	_ = conn.Close()
	h.over(t)
	if log := h.stderr.String(); !strings.Contains(log, "panicked") || strings.Contains(log, "a token") {
		t.Errorf("logged: %s", log)
	}
}

func TestTheBackendsProcess(t *testing.T) {
	t.Parallel()
	h := start(t, "self", wire.BackendEnv+"=odd", envMinPort+"=0", envMaxPort+"=1")
	s, conn, _ := h.open(t)
	if got := load(t, s, "process"); got != fmt.Sprintf("core 0 0, umask 77, dumpable %d", wantDumpable) {
		t.Error(got)
	}
	env := load(t, s, "environment")
	for _, name := range []string{wire.CookieKey, wire.BackendEnv, "PLUGIN_"} {
		if strings.Contains(env, name) {
			t.Errorf("%s goes to the backend's children", name)
		}
	}
	if got := load(t, s, "input"); got != "0 <nil>" {
		t.Errorf("the backend's input: %s", got)
	}
	_ = conn.Close()
	h.over(t)
}

func TestLogs(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{"": "warn", "debug": "debug", "nonsense": "warn", "error": "none", "info": "info"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			h := start(t, "main", wire.LogEnv+"="+level)
			s, conn, _ := h.open(t)
			load(t, s, "print")
			_ = conn.Close()
			h.over(t)
			checkLog(t, h.stderr.String(), want)
		})
	}
}

func checkLog(t *testing.T, log, want string) {
	t.Helper()
	if strings.Contains(log, "swordfish") {
		t.Errorf("a secret is logged: %s", log)
	}
	messages := map[string]map[string]any{}
	for line := range strings.Lines(log) {
		var record map[string]any
		if len(line) > 64<<10 {
			t.Errorf("a line of %d bytes", len(line))
		}
		if !strings.HasPrefix(line, "{") {
			continue // printed
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		text, _ := record["@message"].(string)
		messages[text] = record
	}
	for text, min := range map[string]string{"a debug record": "debug", "printed by package log": "debug info", "a warning": "debug info warn", "a log record was too long and is left out": "debug info warn"} {
		if _, ok := messages[text]; ok != strings.Contains(min, want) {
			t.Errorf("%q at level %q: %v", text, want, ok)
		}
	}
	if w := messages["a warning"]; w != nil && (w["@level"] != "warn" || w["a"] != 1.0 || w["g.@message"] != 1.0 || w["g.password"] != "[secret]" || w["g.h.i"] == nil) {
		t.Errorf("%v", w)
	}
}

func TestBrokenStderr(t *testing.T) {
	t.Parallel()
	h := &host{dir: shortDir(t), ended: make(chan struct{})}
	h.cmd = command(t, "main", []string{wire.CookieKey + "=" + wire.CookieValue, envSocketDir + "=" + h.dir, wire.LogEnv + "=debug"}, nil)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	h.cmd.Stderr = write
	h.launch(t)
	s, conn, _ := h.open(t)
	_, _ = read.Close(), write.Close()
	for range 3 {
		load(t, s, "print")
	}
	_ = conn.Close()
	h.over(t)
}

// TestGoPluginClientWithoutTLS is a host that names no directory: the socket
// lies among the temporary files.
func TestGoPluginClientWithoutTLS(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	tryGoPluginClient(t, &goplugin.ClientConfig{Cmd: command(t, "main", []string{"TMPDIR=" + dir}, nil)})
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
