//go:build unix

package filelock

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

func TestFreeLockNeedsNoLine(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	l := mustAcquire(t, path)
	if standing(path) != -1 {
		t.Error("a goroutine waited for a lock that was free")
	}
	if err := l.Held(); err != nil {
		t.Error(err)
	}
	queue, err := enterQueue(path+queueSuffix, false)
	if err != nil {
		t.Fatalf("whoever has the lock is still in the queue: %v", err)
	}
	_ = queue.Close()
}

func TestNobodyOvertakesTheQueue(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	queue, err := enterQueue(path+queueSuffix, true)
	if err != nil {
		t.Fatal(err)
	}
	got := acquiring(t, path)
	eventually(t, func() bool { return standing(path) == 1 })
	if _, err := os.Lstat(path + lockSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it took the lock before its turn: %v", err)
	}
	_ = queue.Close()
	_ = (<-got).Release()
}

// Who finds the lock taken waits where it stands, first in the queue.
func TestFirstPlaceIsKept(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	holder := taking{path: path + lockSuffix, opts: Options{}.orDefault()}
	l, err := holder.try()
	if err != nil || l == nil {
		t.Fatal(l, err)
	}
	got := acquiring(t, path)
	eventually(t, func() bool { return standing(path) == 1 })
	for range 100 {
		if _, err := enterQueue(path+queueSuffix, false); !errors.Is(err, errBusy) {
			t.Fatalf("another process could come first: %v", err)
		}
	}
	_ = l.Release()
	_ = (<-got).Release()
}

func acquiring(t *testing.T, path string) <-chan *Lock {
	got := make(chan *Lock, 1)
	go func() {
		l, err := Acquire(t.Context(), path, Options{})
		if err != nil {
			t.Error(err)
			l = &Lock{}
		}
		got <- l
	}()
	return got
}

// Who gives up right after it found the lock taken keeps nobody behind it.
func TestFirstPlaceIsGivenUpWithTheWait(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	// Of a peer without flock, since a wait in the kernel ends with the lock alone.
	if err := os.WriteFile(path+lockSuffix, fmt.Append(nil, os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		_, from := atOnce(path, Options{}.orDefault())
		if from.queue == nil {
			t.Fatal("nobody else is in the queue, and it isn't first there")
		}
		join(path, Options{}.orDefault(), from).leave()
		eventually(t, func() bool {
			queue, err := enterQueue(path+queueSuffix, false)
			_ = queue.Close()
			return err == nil && standing(path) == -1
		})
	}
}
