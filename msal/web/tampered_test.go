package web_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
)

// tampered is a token store that may refuse things, and whose items may look
// older than they are.
type tampered struct {
	backend.Store

	noSaves, noDeletes atomic.Bool
	unknown            atomic.Int64 // loads by who knew nothing of the item
	age                time.Duration
}

func newTampered(t *testing.T) (*tampered, *persist.Persistence) {
	t.Helper()
	store, err := new(memory.Backend).Open(t.Context(), backend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := &tampered{Store: store}
	return s, persist.New("memory", s, backend.Config{}, nil)
}

func (s *tampered) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if have == backend.None {
		s.unknown.Add(1)
	}
	return s.Store.Load(ctx, key, have)
}

func (s *tampered) Save(ctx context.Context, key string, data []byte, v backend.Version) (backend.Version, error) {
	if s.noSaves.Load() {
		return backend.None, &backend.Error{Op: "save", Backend: "memory", Kind: backend.ErrUnavailable}
	}
	return s.Store.Save(ctx, key, data, v)
}

func (s *tampered) Delete(ctx context.Context, key string, v backend.Version) error {
	if s.noDeletes.Load() {
		return &backend.Error{Op: "delete", Backend: "memory", Kind: backend.ErrUnavailable}
	}
	return s.Store.Delete(ctx, key, v)
}

func (s *tampered) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		lister, _ := backend.Can[backend.Lister](s.Store, backend.CanList)
		for info, err := range lister.Keys(ctx, prefix) {
			info.Modified = info.Modified.Add(-s.age)
			if !yield(info, err) {
				return
			}
		}
	}
}
