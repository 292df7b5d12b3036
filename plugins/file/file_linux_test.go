package file_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

func TestMain(m *testing.M) {
	testproc.Main(m, testproc.Children{"open": openRefused})
}

// openRefused expects that a location is refused for its owner.
func openRefused(args []string) error {
	_, err := file.Backend().Open(context.Background(), backend.Config{Path: args[0]})
	if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrDenied) || !errors.As(err, &e) || e.Hint == "" {
		return errors.Join(errors.New("want ErrDenied with a hint"), err)
	}
	return nil
}

func TestSomebodyElsesPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(testproc.SharedDir(t), "cache")
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "open", path)))
	testproc.Run(t, testproc.AsNobody(testproc.Command(t, "open", filepath.Join(filepath.Dir(path), "new", "cache"))))
	open(t, path)
}

// Not parallel: it replaces the default logger.
func TestWarnsOnceOfReadableFiles(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)

	path := filepath.Join(t.TempDir(), "cache")
	for _, p := range []string{path, backend.PathFor(path, "k")} {
		if err := errors.Join(os.WriteFile(p, []byte("SECRET"), 0o600), os.Chmod(p, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path)
	for _, key := range []string{"", "k", ""} {
		if _, err := s.Load(t.Context(), key, backend.None); err != nil {
			t.Fatal(err)
		}
		if fi, err := os.Stat(backend.PathFor(path, key)); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%q: %v, %v", key, fi.Mode(), err)
		}
	}
	if n := strings.Count(logged.String(), "level=WARN"); n != 1 || strings.Contains(logged.String(), "SECRET") {
		t.Errorf("%d warnings: %s", n, logged.String())
	}
}

func TestCreatesPrivately(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b", "cache")
	if _, err := open(t, path).Save(t.Context(), "", []byte("x"), backend.None); err != nil {
		t.Fatal(err)
	}
	for p, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Dir(filepath.Dir(path)): 0o700} {
		if fi, err := os.Stat(p); err != nil || fi.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", p, fi.Mode(), err)
		}
	}
}
