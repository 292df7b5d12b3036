package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
	"github.com/msalext/msalext/internal/testproc"
)

func init() { children["patient"] = patient }

func TestUnwritableDirectory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(testproc.SharedDir(t), "cache")
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "denied", path)))
	mustAcquire(t, path) // it is the permission, nothing else
}

func TestRemovedByPeer(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	l := mustAcquire(t, path)
	if err := os.Remove(path + lockSuffix); err != nil {
		t.Fatal(err)
	}
	if err := l.Held(); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path+lockSuffix, []byte("1 other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Held(); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("with another file there: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Errorf("release: %v", err)
	}
	if _, err := os.Stat(path + lockSuffix); err != nil {
		t.Errorf("somebody else's lock file was removed: %v", err)
	}
}

func TestLinksAreRefused(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{lockSuffix, queueSuffix} {
		for _, target := range []string{"nowhere", "target"} {
			path := cachePath(t)
			target = filepath.Join(filepath.Dir(path), target)
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "target"), []byte("kept"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, path+suffix); err != nil {
				t.Fatal(err)
			}
			if _, err := Acquire(t.Context(), path, Options{}); !errors.Is(err, backend.ErrDenied) {
				t.Errorf("%s to %s: %v", suffix, target, err)
			}
			if data, err := os.ReadFile(target); err == nil && string(data) != "kept" {
				t.Errorf("the link's target now holds %q", data)
			}
		}
	}
}

// A process that is stopped while first in the queue must not keep others out
// of a free lock.
func TestStoppedInQueue(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	l := mustAcquire(t, path)
	stopped := start(t, testproc.Command(t, "hold", path))
	stopped.says(t, "started")
	eventually(t, func() bool { return queued(t, path) })
	t.Cleanup(func() { stopped.kill(t) })
	// The signal takes effect some time later: a process that ran until after
	// the release would be stopped with the lock in its hand.
	var status unix.WaitStatus
	err := stopped.Process.Signal(syscall.SIGSTOP)
	if err == nil {
		_, err = unix.Wait4(stopped.Process.Pid, &status, unix.WUNTRACED, nil)
	}
	if err != nil || !status.Stopped() {
		t.Fatalf("not stopped: %v, %v", status, err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	mustAcquire(t, path)
}

// queued tells whether somebody is first in the queue.
func queued(t *testing.T, path string) bool {
	f, err := os.OpenFile(path+queueSuffix, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK
}

// A flock peer that came between our creating and locking the file, and left
// it empty, must not cost the time that an unknown empty file does.
func TestOvertakenCreator(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	tk := taking{path: path + lockSuffix, opts: Options{}.orDefault()}
	ours, err := os.OpenFile(tk.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	peer, err := os.Open(tk.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(peer.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if l, err := tk.lockNew(ours); l != nil || err != nil {
		t.Fatalf("got %v, %v", l, err)
	}
	_ = peer.Close()
	l, err := tk.try()
	if err != nil || l == nil || l.AdoptedFromDead() {
		t.Fatalf("got %+v, %v", l, err)
	}
	_ = l.Release()
}

// An adopted lock that reaches nobody must not hide that its holder died.
func TestAdoptionIsNotLost(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	if err := os.WriteFile(path+lockSuffix, fmt.Appendf(nil, "%d peer", deadPID(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	w := join(path, Options{}.orDefault(), place{})
	eventually(t, func() bool { return len(w.result) == 1 })
	w.leave()
	if l := mustAcquire(t, path); !l.AdoptedFromDead() {
		t.Error("nobody learns of the dead holder")
	}
}

// Whoever waited for a file that was unlinked meanwhile holds nothing, also
// when its content would be judged as left behind.
func TestUnlinkedFileIsNoLock(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	tk := taking{path: path + lockSuffix, opts: Options{}.orDefault()}
	if err := os.WriteFile(tk.path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(tk.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(tk.path); err != nil {
		t.Fatal(err)
	}
	id, err := ownedfile.StatOpen(f)
	if err != nil {
		t.Fatal(err)
	}
	tk.watched = watched{id, time.Now().Add(-time.Hour)}
	if l, err := tk.lockExisting(f); l != nil || err != nil {
		t.Fatalf("got %v, %v", l, err)
	}
	if l, err := tk.try(); l == nil || err != nil || l.AdoptedFromDead() || l.Held() != nil {
		t.Errorf("the next try: %+v, %v", l, err)
	}
}

func TestProcessesOfOthers(t *testing.T) {
	t.Parallel()
	if p := lookUp(1); !p.alive || p.start == "" {
		t.Errorf("init: %+v", p)
	}
	zombie := testproc.Command(t, "exit")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return !lookUp(zombie.Process.Pid).alive }) // before it is waited for
	_ = zombie.Wait()
}

// patient waits in vain for a second, and tells how long it used the CPU.
func patient(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := Acquire(ctx, args[0], Options{}); !errors.Is(err, backend.ErrLockTimeout) {
		return err
	}
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return err
	}
	if cpu := time.Duration(used.Utime.Nano() + used.Stime.Nano()); cpu > 150*time.Millisecond {
		return fmt.Errorf("waiting for a second took %s of CPU", cpu)
	}
	return nil
}

func TestWaitingIsIdle(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"hold", "exist"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			holder := start(t, testproc.Command(t, how, path))
			holder.says(t, "held")
			testproc.Run(t, testproc.Command(t, "patient", path))
			holder.done(t)
		})
	}
}

// Without flock the file's existence is the lock, and only time heals it.
func TestClearAway(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	tk := taking{path: path + lockSuffix, opts: Options{}.orDefault()}
	write := func() ownedfile.Stamp {
		if err := os.WriteFile(tk.path, []byte("1 x"), 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := ownedfile.Stat(tk.path)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	dead := write()
	if err := tk.clearAway(dead); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tk.path); !os.IsNotExist(err) {
		t.Fatalf("the dead one's file stayed: %v", err)
	}
	if !tk.cleared {
		t.Error("it isn't remembered that somebody died")
	}
	live := write()
	live.Ino++ // whatever was judged, it isn't this file
	if err := tk.clearAway(live); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("want the live one's file alone: %v", entries)
	}
}
