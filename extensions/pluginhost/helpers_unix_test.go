//go:build unix

package pluginhost

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// there tells whether a process exists, as a zombie too.
func there(pid int) bool { return syscall.Kill(pid, 0) == nil }

// running tells whether a process exists and isn't a zombie, which somebody
// else's child may be for a while.
func running(pid int) bool {
	out, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

func socketDirs(t *testing.T, base string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(base, socketDirPrefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// shortDir is a directory in which a socket has room on every system.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
