//go:build unix

package pluginhost

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/plugin"
)

func init() {
	for name, f := range map[string]func(){
		"rubbish":    func() { fmt.Println("hello, world SECRET"); wait() },
		"endless":    func() { _, _ = io.Copy(os.Stdout, rand.Reader) },
		"exits":      func() { fmt.Fprintln(os.Stderr, "SECRET why"); os.Exit(7) },
		"core":       func() { announce("2|1|unix|%s|grpc|"); wait() },
		"version":    func() { announce("1|99|unix|%s|grpc|"); wait() },
		"netrpc":     func() { announce("1|1|unix|%s|netrpc|"); wait() },
		"nosocket":   func() { announce("1|1|unix|%s/none|grpc|"); wait() },
		"elsewhere":  func() { fmt.Println("1|1|unix|/tmp/x|grpc|"); wait() },
		"tcp":        func() { fmt.Println("1|1|tcp|127.0.0.1:1|grpc|"); wait() },
		"deafsocket": func() { announceSocket(); wait() },
		"closed":     func() { announceSocket(); os.Exit(0) },
		"badlog":     func() { fmt.Fprintln(os.Stderr, `{"@message":1}`+"\n"+`{"@timestamp":[]}`) },
		"longlog":    func() { fmt.Fprintln(os.Stderr, strings.Repeat("x", 1<<20)) },
		"grandchild": func() { grandchild(&syscall.SysProcAttr{}) },
		"daemon":     func() { grandchild(&syscall.SysProcAttr{Setsid: true}) },
		"wrongname":  func() { plugin.Main(&files{name: "somebody-else"}) },
	} {
		hostile[name] = f
	}
}

func announce(format string) { fmt.Printf(format+"\n", os.Getenv(socketDirEnv)) }

// announceSocket tells of a socket where nobody speaks gRPC.
func announceSocket() {
	path := filepath.Join(os.Getenv(socketDirEnv), "plugin")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	err = errors.Join(err, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, 8))
	if err != nil {
		panic(err)
	}
	fmt.Printf("1|1|unix|%s|grpc|\n", path)
}

// grandchild leaves a process that holds the plugin's standard streams.
func grandchild(attr *syscall.SysProcAttr) {
	cmd := exec.Command("/bin/sleep", "600")
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = os.Stdout, os.Stderr, attr
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	dir := os.Getenv("HOME")
	_ = os.WriteFile(filepath.Join(dir, "grandchild"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
}

func TestHostilePlugins(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", base)
	for name, want := range map[string]struct {
		kind   error
		reason string
	}{
		"rubbish":    {backend.ErrPluginRefused, errRubbish.Error()},
		"endless":    {backend.ErrPluginRefused, errRubbish.Error()},
		"exits":      {backend.ErrPluginRefused, "exit status 7"},
		"core":       {backend.ErrPluginRefused, errCore.Error()},
		"version":    {backend.ErrPluginRefused, "version 99"},
		"netrpc":     {backend.ErrPluginRefused, errTransport.Error()},
		"nosocket":   {backend.ErrPluginRefused, errAddress.Error()},
		"elsewhere":  {backend.ErrPluginRefused, errAddress.Error()},
		"tcp":        {backend.ErrPluginRefused, errAddress.Error()},
		"closed":     {backend.ErrPluginRefused, ""},
		"silent":     {backend.ErrTimeout, ""},
		"deafsocket": {backend.ErrTimeout, ""},
		"wrongname":  {backend.ErrPluginRefused, "somebody-else"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log syncBuffer
			h := newHost(t, &Options{StartTimeout: 2 * time.Second, Logger: logTo(&log, slog.LevelDebug)})
			_, err := h.Backend(t.Context(), name)
			if !errors.Is(err, want.kind) || !strings.Contains(err.Error(), want.reason) {
				t.Errorf("error: %v", err)
			}
			if e, ok := errors.AsType[*backend.Error](err); !ok || e.Hint == "" || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("error: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		if left := socketDirs(t, base); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestBadLogIsHarmless(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"badlog", "longlog"} {
		var log syncBuffer
		h := newHost(t, &Options{Logger: logTo(&log, slog.LevelDebug)})
		mustOpen(t, h, name)
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if n := len(log.String()); n > 3*maxLogLine {
			t.Errorf("%s: %d bytes of log", name, n)
		}
	}
}

func TestGrandchildBlocksNothing(t *testing.T) {
	for _, name := range []string{"grandchild", "daemon"} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			routines := runtime.NumGoroutine()
			h := newHost(t, nil)
			s, _ := mustOpen(t, h, name)
			pid := pidOf(t, s)
			begin := time.Now()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took > closeTimeout || there(pid) {
				t.Errorf("took %v; process left: %v", took, there(pid))
			}
			data, err := os.ReadFile(filepath.Join(home, "grandchild"))
			child, _ := strconv.Atoi(string(data))
			if err != nil || child == 0 {
				t.Fatal(err)
			}
			if name == "daemon" { // it left the group on purpose
				p, _ := os.FindProcess(child)
				_ = p.Kill()
			}
			eventually(t, "the grandchild ends", func() bool { return !running(child) })
			eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= routines })
		})
	}
}
