package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m, children) }

func cachePath(t *testing.T) string { return filepath.Join(t.TempDir(), "cache") }

func mustWrite(t *testing.T, path string, data []byte, base backend.Version) backend.Version {
	t.Helper()
	v, err := atomicfile.Write(t.Context(), path, data, base)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustRead(t *testing.T, path string) backend.Blob {
	t.Helper()
	blob, err := atomicfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

// wantKind checks an error's kind, and that people are told what to do.
func wantKind(t *testing.T, err, kind error) {
	t.Helper()
	e := (*backend.Error)(nil)
	if !errors.Is(err, kind) || !errors.As(err, &e) {
		t.Fatalf("got %v, want a *backend.Error that is %q", err, kind)
	}
	if e.Hint == "" && kind != backend.ErrNotFound {
		t.Errorf("no hint in %v", err)
	}
}

// wantAlone checks that nothing but the named files is in the directory.
func wantAlone(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(names) {
		t.Errorf("want %q in the directory, got %v", names, entries)
	}
}
