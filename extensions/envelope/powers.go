package envelope

import (
	"context"
	"iter"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

var (
	_ backend.Watcher  = (*Store)(nil)
	_ backend.Unlocker = (*Store)(nil)
	_ backend.Lister   = (*Store)(nil)
	_ backend.Expirer  = (*Store)(nil)
	_ backend.Checker  = (*Store)(nil)
)

// Watch is the inner store's, whose versions are those of the items.
func (s *Store) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	if w, ok := backend.Can[backend.Watcher](s.inner, backend.CanWatch); ok {
		return w.Watch(ctx, key)
	}
	return failing[backend.Version](s.unsupported("watch"))
}

// Unlock unlocks the inner store. A source of keys that is locked has to be
// unlocked by itself.
func (s *Store) Unlock(ctx context.Context) error {
	if u, ok := backend.Can[backend.Unlocker](s.inner, backend.CanUnlock); ok {
		return u.Unlock(ctx)
	}
	return s.unsupported("unlock")
}

// Keys is the inner store's. Sizes are those of the ciphertext.
func (s *Store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	l, ok := backend.Can[backend.Lister](s.inner, backend.CanList)
	if !ok {
		return failing[backend.KeyInfo](s.unsupported("list"))
	}
	if _, lapsing := s.keys.(Lapser); !lapsing {
		return l.Keys(ctx, prefix)
	}
	return func(yield func(backend.KeyInfo, error) bool) {
		for info, err := range l.Keys(ctx, prefix) {
			if (err != nil || !isLapsed(info.Key)) && !yield(info, err) {
				return
			}
		}
	}
}

// Expire is the inner store's.
func (s *Store) Expire(ctx context.Context, key string, ttl time.Duration) error {
	if e, ok := backend.Can[backend.Expirer](s.inner, backend.CanExpire); ok {
		return e.Expire(ctx, key, ttl)
	}
	return s.unsupported("expire")
}

// Check is the inner store's: it looks at the store and not into the envelopes.
func (s *Store) Check(ctx context.Context) error {
	if c, ok := backend.Can[backend.Checker](s.inner, backend.CanCheck); ok {
		return c.Check(ctx)
	}
	return s.unsupported("check")
}

func (s *Store) unsupported(op string) error {
	return &backend.Error{Op: op, Backend: s.name, Kind: backend.ErrUnsupported}
}

func failing[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}
