package ownedfile_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

func TestLockDirExcludes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := ownedfile.LockDir(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := ownedfile.LockDir(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a second holder got %v", err)
	}
	first.Unlock()
	second, err := ownedfile.LockDir(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := first.Sync(); err != nil {
		t.Errorf("sync: %v", err)
	}
}

func TestLockDirPassesByAStuckHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 { // the first is never unlocked
		d, err := ownedfile.LockDir(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
	}
	_, err := ownedfile.LockDir(t.Context(), filepath.Join(dir, "missing"))
	wantKind(t, err, backend.ErrNotFound)
}
