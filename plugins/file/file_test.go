package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

func open(t *testing.T, path string) backend.Store {
	t.Helper()
	s, err := file.Backend().Open(t.Context(), backend.Config{Location: path, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestItemsLieWherePathForSays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "cache")
	s := open(t, path)
	for _, key := range []string{"", "user@example.com", "../../etc/passwd", strings.Repeat("long", 100), "\x00"} {
		data := []byte("item " + key)
		v, err := s.Save(t.Context(), key, data, backend.None)
		if err != nil {
			t.Fatalf("save %q: %v", key, err)
		}
		if got, err := os.ReadFile(backend.PathFor(path, key)); err != nil || string(got) != string(data) {
			t.Errorf("file of %q: %q, %v", key, got, err)
		}
		blob, err := open(t, path).Load(t.Context(), key, backend.None)
		if err != nil || string(blob.Data) != string(data) || blob.Version != v {
			t.Errorf("load %q: %+v, %v", key, blob, err)
		}
		if blob, err := s.Load(t.Context(), key, v); err != nil || !blob.Unchanged {
			t.Errorf("load %q again: %+v, %v", key, blob, err)
		}
		if err := s.Delete(t.Context(), key, v); err != nil {
			t.Errorf("delete %q: %v", key, err)
		}
		if _, err := s.Load(t.Context(), key, backend.None); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("deleted %q: %v", key, err)
		}
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "cache"))
	v, err := s.Save(t.Context(), "", []byte("one"), backend.None)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), "", []byte("two"), backend.None); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("save: %v", err)
	}
	if err := s.Delete(t.Context(), "", backend.None); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("delete: %v", err)
	}
	if blob, err := s.Load(t.Context(), "", backend.None); err != nil || blob.Version != v {
		t.Errorf("%+v, %v", blob, err)
	}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	info := open(t, path).Info()
	if info.Encrypted || info.Method != "" || info.Against == "" || info.Location != path || info.Stamp != backend.StampData || info.Caps != backend.CanList {
		t.Errorf("%+v", info)
	}
	if d := file.Backend().Describe(); d.Name != "file" || len(d.Settings) > 0 || d.Platforms != nil {
		t.Errorf("%+v", d)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "cache"))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	_, loadErr := s.Load(t.Context(), "", backend.None)
	_, saveErr := s.Save(t.Context(), "", []byte("x"), backend.None)
	for _, err := range []error{loadErr, saveErr, s.Delete(t.Context(), "", backend.None)} {
		if !errors.Is(err, backend.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	s := open(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, openErr := file.Backend().Open(ctx, backend.Config{Path: path})
	_, loadErr := s.Load(ctx, "", backend.None)
	_, saveErr := s.Save(ctx, "", []byte("x"), backend.None)
	for _, err := range []error{openErr, loadErr, saveErr, s.Delete(ctx, "", backend.None)} {
		if !errors.Is(err, context.Canceled) || backend.KindOf(err) != nil {
			t.Errorf("got %v", err)
		}
	}
}

func TestRefusedConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cache")
	tests := []struct {
		name, says string
		config     backend.Config
	}{
		{"directory", "is a directory", backend.Config{Path: dir}},
		{"below a file", "should be a directory", backend.Config{Path: filepath.Join(dir, "file", "cache")}},
		{"relative", "is relative", backend.Config{Path: "cache"}},
		{"no path", "set HOME", backend.Config{}},
		{"unknown setting", `"color"`, backend.Config{Path: path, Settings: backend.Settings{"color": "red"}}},
		{"unknown secret", `"pin"`, backend.Config{Path: path, Secrets: map[string]backend.Secret{"pin": []byte("1234")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := file.Backend().Open(t.Context(), tt.config)
			e := (*backend.Error)(nil)
			if !errors.Is(err, backend.ErrInvalid) || !errors.As(err, &e) || e.Backend != "file" || e.Hint == "" {
				t.Fatalf("got %#v", err)
			}
			if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "1234") {
				t.Errorf("%v doesn't say %q", err, tt.says)
			}
		})
	}
}
