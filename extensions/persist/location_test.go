package persist

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/internal/record"
)

// A store that compares and swaps by itself works where nothing can be
// written, with one warning, and keeps a record elsewhere.
func TestRecordOfAStoreThatNeedsNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		recorded   bool
	}{
		{"a place", filepath.Join(dir, "app", "cache"), true},
		{"a place below a file", filepath.Join(dir, "file", "app", "cache"), false},
		{"no place", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			config := backend.Config{Location: c.path, Path: c.path}
			s, err := new(memory.Backend).Open(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			p := New("memory", s, config, &Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
			save(t, p, "one")
			save(t, p, "two")
			if got := load(t, p); got != "two" {
				t.Errorf("got %q", got)
			}
			if warned := strings.Count(logged.String(), "level=WARN"); (warned == 1) != (c.path != "" && !c.recorded) {
				t.Errorf("logged %s", logged.String())
			}
			if c.path == "" {
				return
			}
			if was, _ := record.Read(c.path); (was.Backend == "memory") != c.recorded {
				t.Errorf("recorded %v", was)
			}
		})
	}
}

func TestStoreThatNeedsNoFilesHeedsTheRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		record string
		err    error
	}{
		"its own":     {`{"format":1,"backend":"memory"}`, nil},
		"another's":   {`{"format":1,"backend":"file"}`, backend.ErrBackendChanged},
		"encrypted":   {`{"format":1,"backend":"memory","encrypted":true}`, backend.ErrBackendChanged},
		"a newer one": {`{"format":9}`, backend.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, s := inMemory(t)
			path := p.opening.store.config.Path
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(record.Path(path), []byte(c.record), 0o600)); err != nil {
				t.Fatal(err)
			}
			if err := p.Save(t.Context(), []byte("x")); !errors.Is(err, c.err) {
				t.Errorf("got %v", err)
			}
			if _, err := p.Load(t.Context()); !errors.Is(err, c.err) {
				t.Errorf("got %v", err)
			}
			if _, saves := s.counts(); (saves > 0) != (c.err == nil) {
				t.Errorf("%d saves", saves)
			}
		})
	}
}
