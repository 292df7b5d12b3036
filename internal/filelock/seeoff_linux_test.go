package filelock

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A peer gives up flock first and removes its file then. In between another
// peer must not lock the file, which it would take for the lock.
func TestPeerIsSeenOff(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	file := path + lockSuffix
	if err := os.WriteFile(file, fmt.Appendf(nil, "{%d} {peer}", os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	holder, next := open(t, file), open(t, file)
	if err := flock(holder, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	got := make(chan *Lock, 1)
	go func() {
		l, err := Acquire(t.Context(), path, Options{})
		if err != nil {
			t.Error(err)
		}
		got <- l
	}()
	eventually(t, func() bool { return waiting(t, file) })
	_ = holder.Close()
	eventually(t, func() bool { // it has flock, and doesn't take the file for the lock
		if flock(next, unix.LOCK_EX|unix.LOCK_NB) == nil {
			return flock(next, unix.LOCK_UN) != nil
		}
		return len(got) == 0
	})
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	l := <-got
	if l.AdoptedFromDead() || l.Held() != nil {
		t.Errorf("adopted: %t, held: %v", l.AdoptedFromDead(), l.Held())
	}
	_ = l.Release()
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// waiting tells whether somebody waits in the kernel for flock on a file.
// Waiters stand below the holder, with an arrow:
// https://man7.org/linux/man-pages/man5/proc_locks.5.html
func waiting(t *testing.T, path string) bool {
	t.Helper()
	var st unix.Stat_t
	locks, err := os.ReadFile("/proc/locks")
	if err == nil {
		err = unix.Stat(path, &st)
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(locks)) {
		if strings.Contains(line, "->") && strings.Contains(line, fmt.Sprintf(":%d ", st.Ino)) {
			return true
		}
	}
	return false
}
