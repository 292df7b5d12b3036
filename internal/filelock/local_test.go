package filelock

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestCancelledWaitsLeaveNothing(t *testing.T) {
	path := cachePath(t) // not parallel: it counts goroutines
	before := runtime.NumGoroutine()
	l := mustAcquire(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if _, err := Acquire(ctx, path, Options{}); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
	eventually(t, func() bool { return standing(path) == 1000 })
	cancel()
	wg.Wait()
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }) // one for the line, while the lock is held
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= before && standing(path) == -1 })
	again := mustAcquire(t, path)
	if again.AdoptedFromDead() {
		t.Error("a cancelled wait left its lock file")
	}
}

func TestWaitersRacingWithRelease(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*100*time.Microsecond)
			defer cancel()
			if l, err := Acquire(ctx, path, Options{}); err == nil {
				_ = l.Release()
			}
		})
	}
	wg.Wait()
	mustAcquire(t, path)
}

// A lock that arrives at the very moment the wait ends must not stay taken.
func TestLeavingWithTheLockInHand(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	w := join(path, Options{}.orDefault(), place{})
	eventually(t, func() bool { return len(w.result) == 1 })
	w.leave()
	ctx, cancel := context.WithTimeout(t.Context(), room)
	defer cancel()
	l, err := Acquire(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Release()
}

func TestFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	l := mustAcquire(t, path)
	const n = 20
	order := make(chan int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			l, err := Acquire(t.Context(), path, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			order <- i
			_ = l.Release()
		})
		eventually(t, func() bool { return standing(path) == i+1 })
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	for want := range n {
		if got := <-order; got != want {
			t.Fatalf("place %d went to %d", want, got)
		}
	}
}

// standing counts the waiters for a path; -1: there is no line.
func standing(path string) int {
	lines.Lock()
	defer lines.Unlock()
	if l := lines.byPath[path]; l != nil {
		return len(l.waiters)
	}
	return -1
}

func eventually(t *testing.T, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(room); !cond(); {
		if time.Now().After(deadline) {
			t.Fatal("it never happened")
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
}

func BenchmarkUncontended(b *testing.B) {
	path := b.TempDir() + "/cache"
	for b.Loop() {
		l, err := Acquire(b.Context(), path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		_ = l.Release()
	}
}
