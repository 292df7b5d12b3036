package ownedfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

func TestOpenCreatesPrivately(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	f, err := ownedfile.Open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if f.Tightened {
		t.Error("a new file counts as tightened")
	}
}

func TestOpenTruncates(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	write(t, path, 0o600)
	f, err := ownedfile.Open(path, os.O_RDWR|os.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if s, err := ownedfile.StatOpen(f.File); err != nil || s.Size != 0 {
		t.Errorf("size %d, %v", s.Size, err)
	}
}

func TestOpenRefusesByPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, 0o600)
	tests := []struct {
		name, path string
		flag       int
		kind       error
	}{
		{"empty", "", os.O_RDONLY, backend.ErrInvalid},
		{"NUL", dir + "/a\x00b", os.O_RDONLY, backend.ErrInvalid},
		{"directory to read", dir, os.O_RDONLY, backend.ErrInvalid},
		{"directory to write", dir, os.O_RDWR, backend.ErrInvalid},
		{"directory to create", dir, os.O_RDWR | os.O_CREATE, backend.ErrInvalid},
		{"missing", filepath.Join(dir, "no"), os.O_RDONLY, backend.ErrNotFound},
		{"missing directory", filepath.Join(dir, "no", "no"), os.O_RDONLY, backend.ErrNotFound},
		{"missing directory to create in", filepath.Join(dir, "no", "no"), os.O_RDWR | os.O_CREATE, backend.ErrUnavailable},
		{"exists", file, os.O_RDWR | os.O_CREATE | os.O_EXCL, backend.ErrConflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := ownedfile.Open(tt.path, tt.flag)
			if err == nil {
				_ = f.Close()
			}
			wantKind(t, err, tt.kind)
		})
	}
}

func TestStatSeesReplacement(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, 0o600)
	write(t, b, 0o600)
	before, err := ownedfile.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	if before.Size != int64(len("content")) || time.Since(before.Modified()).Abs() > time.Hour {
		t.Errorf("stamp %+v", before)
	}
	if again, _ := ownedfile.Stat(a); again != before {
		t.Errorf("unchanged file: %+v, then %+v", before, again)
	}
	if err := os.Rename(b, a); err != nil {
		t.Fatal(err)
	}
	if after, _ := ownedfile.Stat(a); after == before || after.SameFile(before) {
		t.Errorf("replaced file: still %+v", after)
	}
	_, err = ownedfile.Stat(b)
	wantKind(t, err, backend.ErrNotFound)
}

func TestTemps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "cache")
	var temps []string
	for range 2 {
		f, err := ownedfile.CreateTemp(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close() // the second one's writer lives
		temps = append(temps, f.Name())
		if len(temps) == 1 {
			_ = f.Close()
		}
	}
	others := []string{path, path + ".msalext-tmp-123", path + ".msalext-tmp-0123456789abcdef.mine"}
	for _, name := range others {
		write(t, name, 0o600)
	}
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range append(others, temps[0]) {
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	ownedfile.RemoveStaleTemps(dir, time.Hour)
	for _, name := range append(others, temps[1]) {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("removed too much: %v", err)
		}
	}
	if _, err := os.Stat(temps[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stale file stayed: %v", err)
	}
	_, err := ownedfile.CreateTemp("")
	wantKind(t, err, backend.ErrInvalid)
}

func TestWrapKeepsKinds(t *testing.T) {
	t.Parallel()
	inner := &backend.Error{Op: "x", Kind: backend.ErrConflict, Hint: "h"}
	if err := ownedfile.Wrap("y", inner); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if err := ownedfile.Wrap("y", nil); err != nil {
		t.Errorf("got %v for nil", err)
	}
	wantKind(t, ownedfile.Wrap("y", errors.New("odd")), backend.ErrUnavailable)
}
