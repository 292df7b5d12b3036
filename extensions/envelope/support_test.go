package envelope_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/envelope"
)

// marker is in every secret of these tests, and must show nowhere.
const marker = "canary-51c7e0"

// key is a key that tests can name; its secret is printable, so that it would be
// seen.
func key(id string) envelope.Key {
	k := envelope.Key{ID: id}
	copy(k.Secret[:], marker+id+"................................")
	return k
}

// place is a store in memory that can be opened again.
type place struct {
	memory.Backend
	path string
}

// bare opens the store without an envelope.
func (p *place) bare(t testing.TB) backend.Store {
	t.Helper()
	s, err := p.Open(t.Context(), backend.Config{Path: p.path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p *place) wrap(t testing.TB, keys envelope.Keys, opts *envelope.Options) *envelope.Store {
	t.Helper()
	return envelope.Wrap(p.bare(t), keys, opts)
}

func save(t testing.TB, s backend.Store, key, data string, base backend.Version) backend.Version {
	t.Helper()
	v, err := s.Save(t.Context(), key, []byte(data), base)
	if err != nil {
		t.Fatalf("save %q: %v", key, err)
	}
	return v
}

func load(t testing.TB, s backend.Store, key string) backend.Blob {
	t.Helper()
	b, err := s.Load(t.Context(), key, backend.None)
	if err != nil {
		t.Fatalf("load %q: %v", key, err)
	}
	return b
}

func holds(t testing.TB, s backend.Store, key, want string) {
	t.Helper()
	if got := string(load(t, s, key).Data); got != want {
		t.Errorf("%q holds %q, want %q", key, got, want)
	}
}

// fails expects a kind of error that tells what to do, and no other kind.
func fails(t testing.TB, what string, err error, kinds ...error) {
	t.Helper()
	e := (*backend.Error)(nil)
	if !errors.As(err, &e) || e.Hint == "" || e.Op == "" {
		t.Errorf("%s: %v lacks operation or hint", what, err)
		return
	}
	fits := false
	for _, kind := range kinds {
		fits = fits || e.Kind == kind
	}
	if !fits {
		t.Errorf("%s: got %v, want one of %q", what, err, kinds)
	}
	for _, misleading := range []error{backend.ErrNotFound, backend.ErrConflict} {
		if errors.Is(err, misleading) && e.Kind != misleading {
			t.Errorf("%s: %v also is %q, which callers act on", what, err, misleading)
		}
	}
}

// item is a key store's item without a file: what a Persistence is elsewhere.
type item struct {
	data  []byte
	err   error
	loads int
	turn  chan struct{}
}

func newItem() *item { return &item{turn: make(chan struct{}, 1)} }

func (i *item) Load(context.Context) ([]byte, error) {
	i.turn <- struct{}{}
	defer func() { <-i.turn }()
	i.loads++
	switch {
	case i.err != nil:
		return nil, i.err
	case i.data == nil:
		return nil, &backend.Error{Op: "load", Backend: "item", Kind: backend.ErrNotFound}
	}
	return append([]byte(nil), i.data...), nil
}

func (i *item) Update(_ context.Context, fn func([]byte) ([]byte, error)) error {
	i.turn <- struct{}{}
	defer func() { <-i.turn }()
	if i.err != nil {
		return i.err
	}
	data, err := fn(append([]byte(nil), i.data...))
	if err == nil {
		i.data = append([]byte(nil), data...)
	}
	return err
}

func location(t testing.TB) string { return filepath.Join(t.TempDir(), "app", "cache") }
