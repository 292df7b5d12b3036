package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func TestJavaLockIsTakenToo(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	l, err := Acquire(t.Context(), path, Options{Java: true})
	if err != nil {
		t.Fatal(err)
	}
	if h := whoHolds(javaPath(path)); h != whoHolds(path+lockSuffix) {
		t.Errorf("Java's lock names %s", h)
	}
	other := filepath.Join(filepath.Dir(path), "other")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Acquire(ctx, other, Options{Java: true}); !errors.Is(err, backend.ErrLockTimeout) {
		t.Errorf("another cache of the directory: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	for _, file := range []string{javaPath(path), path + lockSuffix} {
		disappears(t, file)
	}
}

// disappears waits for a file to go: Windows removes it with its last handle,
// which may be that of somebody who looked.
func disappears(t *testing.T, file string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		_, err := os.Stat(file)
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s stayed: %v", file, err)
		}
	}
}

func TestWithoutJava(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	mustAcquire(t, path)
	if _, err := os.Stat(javaPath(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Java's lock was taken: %v", err)
	}
}

// Whoever waits for Java in vain must not keep the lock from others.
func TestWaitForJavaEnds(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	if err := os.WriteFile(javaPath(path), fmt.Appendf(nil, "%d host", os.Getpid()), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Acquire(ctx, path, Options{Java: true}); !errors.Is(err, backend.ErrLockTimeout) || !strings.Contains(err.Error(), javaPath(path)) {
		t.Fatalf("it doesn't name Java's lock: %v", err)
	}
	eventually(t, func() bool {
		_, err := os.Stat(path + lockSuffix)
		return errors.Is(err, os.ErrNotExist)
	})
	mustAcquire(t, path)
}

func TestJavaLockLeftOrLost(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	if err := os.WriteFile(javaPath(path), fmt.Appendf(nil, "%d host", deadPID(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := Acquire(t.Context(), path, Options{Java: true})
	if err != nil {
		t.Fatal(err)
	}
	if !l.AdoptedFromDead() {
		t.Error("it doesn't tell that Java died")
	}
	if err := os.Remove(javaPath(path)); err != nil {
		t.Fatal(err)
	}
	if err := l.Held(); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("Java removed its lock: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}

// A lock without Java's, taken for somebody who has left, is of no use to who
// needs both.
func TestJavaLockOfWhoeverStays(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	held := mustAcquire(t, path)
	plain := join(path, Options{}.orDefault(), place{})
	eventually(t, func() bool { // it waits for the lock, and not for its place
		queue, err := enterQueue(path+queueSuffix, false)
		_ = queue.Close()
		return errors.Is(err, errBusy)
	})
	both := join(path, Options{Java: true}.orDefault(), place{})
	plain.leave()
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-both.result:
		if r.err != nil {
			t.Fatal(r.err)
		}
		if r.lock.java == nil {
			t.Error("it came without Java's")
		}
		_ = r.lock.Release()
	case <-time.After(room):
		t.Fatal("it never came")
	}
}
