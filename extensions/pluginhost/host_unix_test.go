//go:build unix

package pluginhost

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestPlacesForTheSocket(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatal(err)
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	mine := shortDir(t)
	if err := os.Chmod(mine, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ runtime, tmp, home, in string }{
		"runtime directory":        {mine, shortDir(t), "/root", mine},
		"runtime directory unsafe": {open, mine, "/root", mine},
		"none":                     {"", mine, "/root", mine},
		"long TMPDIR":              {"", long, "/root", "/tmp"},
		"TMPDIR of everyone":       {"", open, "/root", "/tmp"},
		"relative TMPDIR":          {"", "here", "/root", "/tmp"},
		"no TMPDIR":                {"", filepath.Join(long, "missing"), "/root", "/tmp"},
		"no HOME":                  {"", mine, "", mine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_RUNTIME_DIR", c.runtime)
			t.Setenv("TMPDIR", c.tmp)
			t.Setenv("HOME", c.home)
			h := newHost(t, nil)
			s, err := openStore(h, "store", filepath.Join(mine, "data"))
			if err != nil {
				t.Fatal(err)
			}
			dir := h.service("store").cur.dir.path
			if filepath.Dir(dir) != c.in {
				t.Errorf("the socket is in %s, want it in %s", dir, c.in)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHostDiesByKill(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		base := shortDir(t)
		cmd := runProgram(t, "hold", "XDG_RUNTIME_DIR=", "TMPDIR="+base)
		stdin, _ := cmd.StdinPipe()
		defer stdin.Close()
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		pid, err := strconv.Atoi(strings.Fields(line + " x")[0])
		if err != nil {
			t.Fatalf("the program said %q", line)
		}
		if again { // a plugin that can't clear up: the next start does
			kill(pid)
			eventually(t, "the plugin ends", func() bool { return !there(pid) })
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if !again {
			eventually(t, "the plugin ends with its host", func() bool { return !running(pid) })
			eventually(t, "its directory goes", func() bool { return len(socketDirs(t, base)) == 0 })
			continue
		}
		stale := filepath.Join(base, socketDirPrefix+"abcdefgh")
		if err := os.Mkdir(stale, 0o700); err != nil {
			t.Fatal(err)
		}
		sweep([]string{base})
		if left := socketDirs(t, base); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// TestSweepSparesOthersThings is about directories that bear such a name by
// chance, or because somebody else gave it to them.
func TestSweepSparesOthersThings(t *testing.T) {
	base, open := shortDir(t), shortDir(t)
	data := filepath.Join(base, socketDirPrefix+"settings", "data")
	moved := filepath.Join(open, socketDirPrefix+"aaaaaaaa")
	for _, dir := range []string{filepath.Dir(data), moved} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(data, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil { // so that anyone can rename what is in it
		t.Fatal(err)
	}
	sweep([]string{base, open})
	for _, path := range []string{data, moved} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if err := os.Chmod(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if sweep([]string{open}); exists(moved) {
		t.Error("without the check it would have stayed too")
	}
}

func TestSweepSparesTheLiving(t *testing.T) {
	base := shortDir(t)
	d, err := newSocketDir([]string{base})
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(base, socketDirPrefix+"notes")
	shared := filepath.Join(base, socketDirPrefix+"12345678")
	for path, mode := range map[string]os.FileMode{other: 0o700, shared: 0o755} {
		if err := os.Mkdir(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	sweep([]string{base})
	for _, path := range []string{d.path, other, shared} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	d.remove()
	d.remove()
	if _, err := os.Stat(d.path); err == nil {
		t.Error("the directory is left")
	}
}
