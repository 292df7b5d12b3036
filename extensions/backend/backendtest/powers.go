package backendtest

import (
	"context"
	"iter"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func powerFaults() []fault {
	return []fault{
		{"announces what it can't do", "A store has the methods of every power in Info.Caps.", announcesTooMuch},
		{"does what it doesn't announce", "A power that a store has the method of and doesn't announce fails with ErrUnsupported.", announcesTooLittle},
	}
}

// power is an optional power without its type.
type power struct {
	cap backend.Caps
	has func(backend.Store) bool
	// use makes the power's call, and returns its error or the first one that
	// it yields.
	use func(ctx context.Context, s backend.Store, key string) error
}

var powers = []power{
	{backend.CanWatch, is[backend.Watcher], func(ctx context.Context, s backend.Store, key string) error {
		return firstError(s.(backend.Watcher).Watch(ctx, key))
	}},
	{backend.CanUnlock, is[backend.Unlocker], func(ctx context.Context, s backend.Store, _ string) error {
		return s.(backend.Unlocker).Unlock(ctx)
	}},
	{backend.CanList, is[backend.Lister], func(ctx context.Context, s backend.Store, _ string) error {
		return firstError(s.(backend.Lister).Keys(ctx, ""))
	}},
	{backend.CanExpire, is[backend.Expirer], func(ctx context.Context, s backend.Store, key string) error {
		return s.(backend.Expirer).Expire(ctx, key, time.Hour)
	}},
	{backend.CanCheck, is[backend.Checker], func(ctx context.Context, s backend.Store, _ string) error {
		return s.(backend.Checker).Check(ctx)
	}},
}

func is[P any](s backend.Store) bool {
	_, ok := s.(P)
	return ok
}

// firstError uses up what is yielded, and returns the first error.
func firstError[V any](all iter.Seq2[V, error]) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// usePowers uses each power that a store announces and has, and yields its
// error. A watch that waits is cut short.
func (c *trial) usePowers(s backend.Store, key string) iter.Seq2[backend.Caps, error] {
	return func(yield func(backend.Caps, error) bool) {
		for _, p := range powers {
			if s.Info().Caps&p.cap != 0 && p.has(s) && !yield(p.cap, c.usePower(p, s, key)) {
				return
			}
		}
	}
}

func (c *trial) usePower(p power, s backend.Store, key string) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.patience)
	defer cancel()
	return p.use(ctx, s, key)
}

func announcesTooMuch(c *trial) {
	s := c.open()
	for _, p := range powers {
		if s.Info().Caps&p.cap != 0 && !p.has(s) {
			c.Errorf("the store announces %q and hasn't its method", p.cap)
		}
	}
}

func announcesTooLittle(c *trial) {
	s := c.open()
	c.save(s, "k", []byte("data"), backend.None)
	for _, p := range powers {
		if s.Info().Caps&p.cap == 0 && p.has(s) {
			c.wants("unannounced "+p.cap.String(), c.usePower(p, s, "k"), backend.ErrUnsupported)
		}
	}
}
