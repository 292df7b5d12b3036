package backendtest

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

// bentFiles is the file backend with one thing bent.
type bentFiles struct {
	backend.Backend
	bend func(backend.Store, string) backend.Store
}

func (b bentFiles) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	s, err := b.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return b.bend(s, c.Path), nil
}

// misplaced keeps its files under other names.
type misplaced struct{ backend.Store }

func (s misplaced) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	return s.Store.Load(ctx, "x"+key, have)
}

func (s misplaced) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	return s.Store.Save(ctx, "x"+key, data, base)
}

func (s misplaced) Delete(ctx context.Context, key string, base backend.Version) error {
	return s.Store.Delete(ctx, "x"+key, base)
}

// inPlace writes into the file that is there, and turns its time back.
type inPlace struct {
	backend.Store
	path string
}

func (s inPlace) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	path := backend.PathFor(s.path, key)
	if blob, err := s.Load(ctx, key, backend.None); err != nil || blob.Version != base {
		return s.Store.Save(ctx, key, data, base)
	}
	fi, err := os.Stat(path)
	if err != nil {
		return backend.None, err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return backend.None, err
	}
	if err := os.Chtimes(path, time.Time{}, fi.ModTime()); err != nil {
		return backend.None, err
	}
	blob, err := s.Load(ctx, key, backend.None)
	return blob.Version, err
}

// remembering loads what it saved, without a look at the file.
type remembering struct {
	backend.Store
	saved *sync.Map
}

func (s remembering) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	v, err := s.Store.Save(ctx, key, data, base)
	if err == nil {
		s.saved.Store(key, backend.Blob{Data: data, Version: v})
	}
	return v, err
}

func (s remembering) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if blob, ok := s.saved.Load(key); ok {
		return blob.(backend.Blob), nil
	}
	return s.Store.Load(ctx, key, have)
}

func TestFaultsOfStampsAreFound(t *testing.T) {
	t.Parallel()
	const elsewhere, hidden, ignored = "keeps items elsewhere than PathFor", "changes items and not the file's stamp", "ignores what others write to the file"
	tests := []struct {
		name  string
		bend  func(backend.Store, string) backend.Store
		found []string
	}{
		{"nothing", func(s backend.Store, _ string) backend.Store { return s }, nil},
		{"other names", func(s backend.Store, _ string) backend.Store { return misplaced{s} }, []string{elsewhere, hidden, ignored}},
		{"writes in place", func(s backend.Store, path string) backend.Store { return inPlace{s, path} }, []string{hidden}},
		{"remembers", func(s backend.Store, _ string) backend.Store { return remembering{s, new(sync.Map)} }, []string{ignored}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var found []string
			for _, c := range Cases() {
				if !strings.Contains(c.Name, "PathFor") && !strings.Contains(c.Name, "the file") {
					continue
				}
				if faults := record(t, c, &Opener{Backend: bentFiles{file.Backend(), tt.bend}}); len(faults) > 0 {
					found = append(found, c.Name)
				}
			}
			if diff := cmp.Diff(tt.found, found); diff != "" {
				t.Error(diff)
			}
		})
	}
}
