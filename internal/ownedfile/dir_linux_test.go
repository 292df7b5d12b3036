package ownedfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// A link to nothing exists for mkdir and doesn't for stat.
func TestMkdirAllOverABrokenLink(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{link, filepath.Join(link, "app")} {
		wantKind(t, ownedfile.MkdirAll(dir), backend.ErrInvalid)
	}
	if _, err := os.Lstat(filepath.Join(filepath.Dir(link), "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was followed: %v", err)
	}
}
