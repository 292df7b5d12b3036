package pluginhost

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

var (
	_ backend.Store    = (*store)(nil)
	_ backend.Watcher  = (*store)(nil)
	_ backend.Unlocker = (*store)(nil)
	_ backend.Lister   = (*store)(nil)
	_ backend.Expirer  = (*store)(nil)
	_ backend.Checker  = (*store)(nil)
)

func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	return call(ctx, s, "load", again, func(ctx context.Context, inner backend.Store) (backend.Blob, error) {
		return inner.Load(ctx, key, have)
	})
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	return call(ctx, s, "save", once, func(ctx context.Context, inner backend.Store) (backend.Version, error) {
		return inner.Save(ctx, key, data, base)
	})
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	_, err := call(ctx, s, "delete", once, func(ctx context.Context, inner backend.Store) (none, error) {
		return none{}, inner.Delete(ctx, key, base)
	})
	return err
}

// Unlock is bounded by four times the default deadline, since it waits for a
// person.
func (s *store) Unlock(ctx context.Context) error {
	return power(ctx, s, "unlock", human, backend.CanUnlock, func(ctx context.Context, u backend.Unlocker) error {
		return u.Unlock(ctx)
	})
}

func (s *store) Expire(ctx context.Context, key string, ttl time.Duration) error {
	return power(ctx, s, "expire", once, backend.CanExpire, func(ctx context.Context, e backend.Expirer) error {
		return e.Expire(ctx, key, ttl)
	})
}

func (s *store) Check(ctx context.Context) error {
	return power(ctx, s, "check", again, backend.CanCheck, func(ctx context.Context, c backend.Checker) error {
		return c.Check(ctx)
	})
}

// Keys collects the answer before it yields any of it: a repeated listing must
// not yield a key twice, and the caller's time mustn't count against the
// plugin.
func (s *store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		var all []backend.KeyInfo
		err := power(ctx, s, "list", again, backend.CanList, func(ctx context.Context, l backend.Lister) error {
			all = nil
			for k, err := range l.Keys(ctx, prefix) {
				if err != nil {
					return err
				}
				all = append(all, k)
			}
			return nil
		})
		if err != nil {
			yield(backend.KeyInfo{}, err)
			return
		}
		for _, k := range all {
			if !yield(k, nil) {
				return
			}
		}
	}
}

// Watch has no deadline, and ends with an error when the process is lost;
// watching again works on a new one. What happened in between shows in Load.
func (s *store) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	return func(yield func(backend.Version, error) bool) {
		inner, err := call(ctx, s, "watch", again, func(_ context.Context, inner backend.Store) (backend.Store, error) {
			return inner, nil
		})
		w, ok := inner.(backend.Watcher)
		switch {
		case err != nil:
			yield(backend.None, err)
			return
		case !ok || s.Info().Caps&backend.CanWatch == 0:
			yield(backend.None, s.unsupported("watch"))
			return
		}
		for v, err := range w.Watch(ctx, key) {
			if err != nil {
				yield(backend.None, s.watchEnded(ctx, inner, err))
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

// watchEnded notes that the process is lost, if that is why, before anyone
// watches again.
func (s *store) watchEnded(ctx context.Context, inner backend.Store, err error) error {
	lost := errors.Is(err, ErrLost)
	if p, now := s.bound(); lost && now == inner {
		s.service.lost(p)
	}
	return s.explain(ctx, "watch", err, lost, 0)
}

func power[T any](ctx context.Context, s *store, op string, how manner, c backend.Caps,
	fn func(context.Context, T) error) error {
	_, err := call(ctx, s, op, how, func(ctx context.Context, inner backend.Store) (none, error) {
		p, ok := backend.Can[T](inner, c)
		if !ok {
			return none{}, s.unsupported(op)
		}
		return none{}, fn(ctx, p)
	})
	return err
}

func (s *store) unsupported(op string) error {
	return &backend.Error{Op: op, Backend: s.service.name, Kind: backend.ErrUnsupported}
}
