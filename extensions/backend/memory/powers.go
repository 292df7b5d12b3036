package memory

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

var (
	_ backend.Watcher  = (*store)(nil)
	_ backend.Unlocker = (*store)(nil)
	_ backend.Lister   = (*store)(nil)
	_ backend.Expirer  = (*store)(nil)
	_ backend.Checker  = (*store)(nil)
)

func (s *store) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	return func(yield func(backend.Version, error) bool) {
		for last, changed := s.observe(key); ; {
			if err := s.usable(context.WithoutCancel(ctx)); err != nil {
				yield(backend.None, fail("watch", err))
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			var now backend.Version
			if now, changed = s.observe(key); now == last {
				continue // another key, or the store was closed
			}
			if last = now; !yield(now, nil) {
				return
			}
		}
	}
}

// observe takes version and change channel together, so that no change falls
// between them.
func (s *store) observe(key string) (backend.Version, <-chan struct{}) {
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	return s.place.current(key).version, s.place.change()
}

func (s *store) Unlock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fail("unlock", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail("unlock", backend.ErrClosed)
	}
	s.locked = false
	return nil
}

func (s *store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		if err := s.usable(ctx); err != nil { // also where nothing is stored
			yield(backend.KeyInfo{}, fail("list", err))
			return
		}
		for _, info := range s.list(prefix) {
			if err := s.usable(ctx); err != nil {
				yield(backend.KeyInfo{}, fail("list", err))
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *store) list(prefix string) []backend.KeyInfo {
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	var infos []backend.KeyInfo
	for key := range s.place.items {
		if it := s.place.current(key); it.version != backend.None && strings.HasPrefix(key, prefix) {
			infos = append(infos, backend.KeyInfo{Key: key, Size: int64(len(it.data)), Modified: it.modified})
		}
	}
	return infos
}

func (s *store) Expire(ctx context.Context, key string, ttl time.Duration) error {
	if err := s.usable(ctx); err != nil {
		return fail("expire", err)
	}
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	it := s.place.current(key)
	if it.version == backend.None {
		return fail("expire", backend.ErrNotFound)
	}
	it.expires = time.Time{}
	if ttl > 0 {
		it.expires = time.Now().Add(ttl)
	}
	s.place.items[key] = it
	return nil
}

func (s *store) Check(ctx context.Context) error { return fail("check", s.usable(ctx)) }
