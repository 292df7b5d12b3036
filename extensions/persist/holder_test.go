package persist

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/filelock"
)

func holder(t *testing.T, p *Persistence) string {
	t.Helper()
	who, err := p.LockHolder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func TestLockHolder(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	if who := holder(t, p); who != "" {
		t.Errorf("%s holds what nobody locked", who)
	}
	lock, err := filelock.Acquire(t.Context(), path, filelock.Options{Program: "az"})
	if err != nil {
		t.Fatal(err)
	}
	if who := holder(t, p); !strings.Contains(who, "(az)") {
		t.Errorf("%q holds the lock", who)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.ClearLock(ctx); !errors.Is(err, backend.ErrLockTimeout) || !strings.Contains(err.Error(), "(az)") {
		t.Errorf("the lock of a process that lives: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if removed, err := p.ClearLock(t.Context()); removed || err != nil {
		t.Errorf("a lock that is free: %t, %v", removed, err)
	}
}

func TestClearLockOfWhoIsGone(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	if err := os.WriteFile(path+".lockfile", []byte("2147483647 python"), 0o600); err != nil {
		t.Fatal(err)
	}
	if who := holder(t, p); who != "process 2147483647 (python)" {
		t.Errorf("%q holds the lock", who)
	}
	if removed, err := p.ClearLock(t.Context()); !removed || err != nil {
		t.Errorf("%t, %v", removed, err)
	}
	if who := holder(t, p); who != "" {
		t.Errorf("%s still holds the lock", who)
	}
}
