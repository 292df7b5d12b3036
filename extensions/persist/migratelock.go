package persist

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/filelock"
)

// secondLockWait bounds the wait for the second lock: peers walk past the
// first one after 5 seconds, and the work under both takes its time too.
const secondLockWait = 1500 * time.Millisecond

// place is where a store's files lie, however its path is written, so that one
// lock isn't taken twice and two are always taken in the same order.
func (s *shared) place() string {
	dir, base := filepath.Split(s.config.Path)
	for rest := ""; ; {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest, base)
		}
		dir = filepath.Clean(dir)
		if dir == filepath.Dir(dir) {
			return s.config.Path
		}
		rest, dir = filepath.Join(filepath.Base(dir), rest), filepath.Dir(dir)
	}
}

// seat is an item's place in the order of locks.
type seat struct {
	s    *shared
	key  string
	file string
	java bool // Java's lock for the directory is taken with it
}

// seats are the locks that an item needs, in the order of their names, each
// once. Stores that compare and swap have none.
func (m *migration) seats(key string) []seat {
	all := []seat{
		{m.from, key, backend.PathFor(m.from.place(), key), m.from.java},
		{m.to, m.target(key), backend.PathFor(m.to.place(), m.target(key)), m.to.java},
	}
	all = slices.DeleteFunc(all, func(s seat) bool { return s.s.cas() })
	slices.SortFunc(all, func(a, b seat) int { return cmp.Compare(a.file, b.file) })
	if len(all) == 2 && filepath.Dir(all[0].file) == filepath.Dir(all[1].file) { // a directory has one of Java's
		all[0].java, all[1].java = all[0].java || all[1].java, false
	}
	return slices.CompactFunc(all, func(a, b seat) bool { return a.file == b.file })
}

// under does one step with an item, under the locks of both stores, again and
// again until nobody interfered. The step calls publish right before it writes.
func (m *migration) under(ctx context.Context, key string, do func(_ context.Context, key string, publish func() error) error) error {
	for _, err := range []error{m.from.enter("migrate", key), m.to.enter("migrate", m.target(key))} {
		if err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return m.from.fail("migrate", context.Cause(ctx))
	}
	err := m.to.untilUndisturbed(ctx, "migrate", func() error {
		err := m.locked(ctx, m.seats(key), func(ctx context.Context, held func() error) error {
			return do(ctx, key, func() error { return m.publishable(ctx, held) })
		})
		if errors.Is(err, errNotUnited) { // a conflict that another try doesn't end
			return verdict{err}
		}
		return err
	})
	if final, ok := err.(verdict); ok {
		return final.error
	}
	return err
}

// locked takes the locks one by one.
func (m *migration) locked(ctx context.Context, seats []seat, do func(_ context.Context, held func() error) error) error {
	var locks []*filelock.Lock
	for i, at := range seats {
		wait, cancel := ctx, func() {}
		if i > 0 {
			wait, cancel = context.WithTimeout(ctx, secondLockWait)
		}
		lock, err := at.s.acquire(wait, "migrate", at.key, at.java)
		cancel()
		if i > 0 && errors.Is(err, backend.ErrLockTimeout) && ctx.Err() == nil {
			return fmt.Errorf("%w: %w", errLost, err) // so that the first isn't held for long
		}
		if err != nil {
			return err
		}
		defer at.s.release(lock)
		if i == 0 {
			limited, cancel := context.WithTimeoutCause(ctx, m.to.limit, errHeldTooLong)
			defer cancel()
			ctx = limited
		}
		locks = append(locks, lock)
	}
	return do(ctx, func() error {
		for _, lock := range locks {
			if err := lock.Held(); err != nil {
				return fmt.Errorf("%w: %w", errLost, err)
			}
		}
		return nil
	})
}

// publishable is what shared.publishable is for one store. Where the record has
// to change it doesn't name the target at first; once it does, it must stay so:
// another Migrate may be on the way back.
func (m *migration) publishable(ctx context.Context, held func() error) error {
	var err error
	if !m.moved || m.handed {
		err = m.to.claimLocation(ctx)
	}
	if cause := context.Cause(ctx); errors.Is(cause, errHeldTooLong) {
		return m.to.slow("migrate", cause)
	}
	return cmp.Or(err, held())
}
