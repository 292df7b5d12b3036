package filelock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

func TestLockFileShowsHolder(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	l, err := Acquire(t.Context(), path, Options{Program: "my app"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := whoHolds(path+lockSuffix), "process "+strconv.Itoa(os.Getpid())+" (my_app) on "; !strings.HasPrefix(got, want) {
		t.Errorf("the lock file names %q, want %q", got, want)
	}
	if err := l.Held(); err != nil || l.AdoptedFromDead() {
		t.Errorf("held: %v, adopted: %t", err, l.AdoptedFromDead())
	}
	for range 2 {
		if err := l.Release(); err != nil {
			t.Errorf("release: %v", err)
		}
	}
	if _, err := os.Lstat(path + lockSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock file stayed: %v", err)
	}
	if err := l.Held(); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("after release Held says %v", err)
	}
}

func TestTimeoutNamesHolder(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	holder := start(t, testproc.Command(t, "hold", path))
	holder.says(t, "held")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Acquire(ctx, path, Options{})
	if !errors.Is(err, backend.ErrLockTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if want := "process " + strconv.Itoa(holder.Process.Pid) + " (holder) on "; !strings.Contains(err.Error(), want) {
		t.Errorf("%v doesn't contain %q", err, want)
	}
	holder.done(t)
	mustAcquire(t, path)
}

func TestDefaultWaitIsNoDeadlineOfTheCaller(t *testing.T) {
	t.Parallel()
	err := timeoutError(cachePath(t)+lockSuffix, time.Minute, nil)
	if !errors.Is(err, backend.ErrLockTimeout) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Acquire(ctx, path, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("free lock: %v", err)
	}
	mustAcquire(t, path)
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := Acquire(ctx, path, Options{}); !errors.Is(err, context.Canceled) || errors.Is(err, backend.ErrLockTimeout) {
		t.Errorf("held lock: %v", err)
	}
}

func TestBadLocations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		path func(t *testing.T) string
		kind error
	}{
		{"empty", func(*testing.T) string { return "" }, backend.ErrInvalid},
		{"directory missing", func(t *testing.T) string { return filepath.Join(t.TempDir(), "no", "cache") }, backend.ErrUnavailable},
		{"directory is a file", func(t *testing.T) string {
			file := cachePath(t)
			return filepath.Join(file, must(t, os.WriteFile(file, nil, 0o600), "cache"))
		}, backend.ErrInvalid},
		{"lock file is a directory", func(t *testing.T) string {
			path := cachePath(t)
			return must(t, os.Mkdir(path+lockSuffix, 0o700), path)
		}, backend.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Acquire(t.Context(), tt.path(t), Options{})
			e := (*backend.Error)(nil)
			if !errors.Is(err, tt.kind) || !errors.As(err, &e) || e.Hint == "" {
				t.Errorf("got %v, want %v with a hint", err, tt.kind)
			}
		})
	}
}

func must(t *testing.T, err error, path string) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
