package ownedfile_test

import (
	"errors"
	"os"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m, children) }

// wantKind checks an error's kind, and that people are told what to do.
func wantKind(t *testing.T, err, kind error) {
	t.Helper()
	e := (*backend.Error)(nil)
	if !errors.Is(err, kind) || !errors.As(err, &e) {
		t.Fatalf("got %v, want a *backend.Error that is %q", err, kind)
	}
	if kind == backend.ErrDenied && e.Hint == "" {
		t.Errorf("no hint in %v", err)
	}
}

func write(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // past the umask
		t.Fatal(err)
	}
}
