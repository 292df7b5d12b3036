package pluginhost

import (
	"bufio"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func filePlugin(t *testing.T, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), fileName("file"))
	args := append([]string{"build", "-o", path}, flags...)
	build := exec.Command("go", append(args, "github.com/msalext/msalext/plugins/file/cmd/msalext-plugin-file")...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// A process that a debugger holds answers for the plugin that the host starts.
func TestDebug(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	debuggable, release := filePlugin(t, "-tags", "msalext_debug"), filePlugin(t)
	item := filepath.Join(t.TempDir(), "cache.json")
	held := debugging(t, debuggable)

	s := openFile(t, debuggable, item)
	if _, err := s.Save(t.Context(), "", []byte("tokens"), backend.None); err != nil {
		t.Fatal(err)
	}
	loads(t, s, true)
	stop(t, held.Process.Pid)
	loads(t, s, false)
	loads(t, openFile(t, release, item), true) // knows nothing of it
	if err := held.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	loads(t, s, true)
	if err := held.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := held.Wait(); err != nil {
		t.Errorf("interrupted: %v", err)
	}
	loads(t, openFile(t, debuggable, item), true) // nobody answers any more but the plugin itself
}

func TestReleaseRefusesDebug(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(filePlugin(t), "-debug").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "msalext_debug") {
		t.Errorf("%v: %s", err, out)
	}
}

// debugging starts a plugin as a person would under a debugger.
func debugging(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(path, "-debug")
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil || !strings.Contains(line, "attach the debugger") {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd
}

func openFile(t *testing.T, plugin, item string) backend.Store {
	t.Helper()
	h := New(&Options{Plugins: map[string]Binary{"file": {Path: plugin}}})
	t.Cleanup(func() { _ = h.Close() })
	b, err := h.Backend(t.Context(), "file")
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Open(t.Context(), backend.Config{Path: item})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func loads(t *testing.T, s backend.Store, want bool) {
	t.Helper()
	wait := 10 * time.Second
	if !want {
		wait = 100 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	if b, err := s.Load(ctx, "", backend.None); (err == nil && string(b.Data) == "tokens") != want {
		t.Errorf("Load: %v, want it to work: %v", err, want)
	}
}
