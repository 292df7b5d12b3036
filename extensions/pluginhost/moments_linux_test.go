package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func init() {
	hostile["mortal"] = mortal
	programs["hurried"] = func() {
		_, _ = New(nil).Backend(context.Background(), "mortal")
		wait()
	}
}

// mortal notes its process id, and dies when its home directory says so.
func mortal() {
	home := os.Getenv("HOME")
	f, err := os.OpenFile(filepath.Join(home, "pids"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(f, os.Getpid())
	f.Close()
	if text, err := os.ReadFile(filepath.Join(home, "dies")); err == nil {
		after, _ := time.ParseDuration(string(text))
		time.AfterFunc(after, func() { kill(os.Getpid()) })
	}
}

// pidsIn lists the processes that mortal plugins have noted.
func pidsIn(t *testing.T, home string) []int {
	t.Helper()
	text, _ := os.ReadFile(filepath.Join(home, "pids"))
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// moments is how long a start is left alone before something happens to it.
// A start takes some 20 ms, and some 100 with the race detector.
func moments() []time.Duration {
	var all []time.Duration
	for i := range 12 {
		all = append(all, time.Duration(i*i)*time.Millisecond)
	}
	return all
}

func TestPluginDiesAtAnyMoment(t *testing.T) {
	base := shortDir(t)
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", base)
	for _, after := range moments() {
		home := t.TempDir()
		t.Setenv("HOME", home)
		if err := os.WriteFile(filepath.Join(home, "dies"), []byte(after.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		h := newHost(t, nil)
		s, err := openStore(h, "mortal", filepath.Join(home, "data"))
		if err == nil {
			_, err = s.Load(t.Context(), "", "")
		}
		if !errors.Is(err, backend.ErrNotFound) && !errors.Is(err, backend.ErrPluginRefused) && !errors.Is(err, ErrLost) {
			t.Errorf("after %v: %v", after, err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("after %v: %v", after, err)
		}
		for _, pid := range pidsIn(t, home) {
			if there(pid) {
				t.Errorf("after %v process %d is left", after, pid)
			}
		}
	}
	if left := socketDirs(t, base); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestCloseAtAnyMoment(t *testing.T) {
	base := shortDir(t)
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", base)
	for _, after := range moments() {
		home := t.TempDir()
		t.Setenv("HOME", home)
		h := New(&Options{})
		started := make(chan error, 1)
		go func() { _, err := h.Backend(t.Context(), "mortal"); started <- err }()
		<-time.After(after)
		if err := h.Close(); err != nil {
			t.Errorf("after %v: %v", after, err)
		}
		if err := <-started; err != nil && !errors.Is(err, backend.ErrClosed) {
			t.Errorf("the start, after %v: %v", after, err)
		}
		for _, pid := range pidsIn(t, home) {
			if there(pid) {
				t.Errorf("after %v process %d is left", after, pid)
			}
		}
	}
	if left := socketDirs(t, base); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestHostDiesAtAnyMoment(t *testing.T) {
	t.Parallel()
	base := shortDir(t)
	for _, after := range moments() {
		home := t.TempDir()
		cmd := runProgram(t, "hurried", "XDG_RUNTIME_DIR=", "TMPDIR="+base, "HOME="+home)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(after * 2) // the program has to start, too
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for _, pid := range pidsIn(t, home) {
			eventually(t, "the plugin ends with its host", func() bool { return !running(pid) })
		}
	}
	eventually(t, "what they left can be swept", func() bool {
		sweep([]string{base})
		return len(socketDirs(t, base)) == 0
	})
}

// TestDescriptors: a plugin has none of its host's, such as lock files that the
// host's death must release.
func TestDescriptors(t *testing.T) {
	base := shortDir(t)
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", base)
	lock, err := os.Create(filepath.Join(base, "lockfile"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for name, dir := range map[string]string{"self": "", "binary": t.TempDir(), "script": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, &Options{Dirs: []string{dir}, AllowScripts: name == "script"})
			if name != "self" {
				h.around.offered = func(string) bool { return false }
				binary := installed(t, dir, "store")
				if name == "script" {
					moved := filepath.Join(dir, "moved")
					script := "#!/bin/sh\nexec " + moved + "\n"
					if err := errors.Join(os.Rename(binary, moved), os.WriteFile(binary, []byte(script), 0o755)); err != nil {
						t.Fatal(err)
					}
				}
			}
			s, _ := mustOpen(t, h, "store")
			blob, err := s.Load(t.Context(), "descriptors", "")
			if err != nil {
				t.Fatal(err)
			}
			sockets := 0
			for line := range strings.Lines(string(blob.Data)) {
				fd, to, _ := strings.Cut(strings.TrimSpace(line), " ")
				if strings.HasPrefix(to, "socket:") {
					sockets++
				}
				itself := name == "script" && fd == "3" // which its interpreter reads
				if strings.HasPrefix(to, base) && !itself {
					t.Errorf("descriptor %s is %s", fd, to)
				}
			}
			if sockets > 2 { // where it listens, and the connection
				t.Errorf("%d sockets:\n%s", sockets, blob.Data)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
