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
	"github.com/msalext/msalext/internal/ownedfile"
	"github.com/msalext/msalext/internal/record"
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
}

// seats are the locks that an item needs, in the order of their names, each
// once. Stores that compare and swap have none.
func (m *migration) seats(key string) []seat {
	all := []seat{
		{m.from, key, backend.PathFor(m.from.place(), key)},
		{m.to, m.target(key), backend.PathFor(m.to.place(), m.target(key))},
	}
	all = slices.DeleteFunc(all, func(s seat) bool { return s.s.cas() })
	slices.SortFunc(all, func(a, b seat) int { return cmp.Compare(a.file, b.file) })
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
	return m.to.untilUndisturbed(ctx, "migrate", func() error {
		return m.locked(ctx, m.seats(key), func(ctx context.Context, held func() error) error {
			return do(ctx, key, func() error { return m.publishable(ctx, held) })
		})
	})
}

// locked takes the locks one by one.
func (m *migration) locked(ctx context.Context, seats []seat, do func(_ context.Context, held func() error) error) error {
	var locks []*filelock.Lock
	for i, at := range seats {
		wait, cancel := ctx, func() {}
		if i > 0 {
			wait, cancel = context.WithTimeout(ctx, secondLockWait)
		}
		lock, err := at.s.acquire(wait, "migrate", at.key)
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

// publishable is what shared.publishable is for one store. Where the record
// has to change it doesn't name the target yet.
func (m *migration) publishable(ctx context.Context, held func() error) error {
	var err error
	if !m.moved {
		err = m.to.claimLocation(ctx)
	}
	if cause := context.Cause(ctx); errors.Is(cause, errHeldTooLong) {
		return m.to.slow("migrate", cause)
	}
	return cmp.Or(err, held())
}

// finish makes the target the keeper of a location that both share, and brings
// the copies up to date: whoever writes with the source's backend after that is
// refused, and whoever began before is waited for at the item's lock.
func (m *migration) finish(ctx context.Context) error {
	if m.moved {
		if err := m.under(ctx, "", m.handOver); err != nil {
			return err
		}
	} else if !m.opts.DeleteSource {
		return nil
	}
	keys, err := m.list(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := m.under(ctx, key, m.settle); err != nil {
			return err
		}
	}
	return m.leave(ctx)
}

// leave gives up the source's location, where all of it was to be deleted.
func (m *migration) leave(ctx context.Context) error {
	if m.moved || m.one != nil || !m.opts.DeleteSource || m.opts.DryRun || m.from.unlocated() {
		return nil
	}
	was, err := record.Read(m.from.config.Path)
	if err != nil || was.Backend != m.from.name { // a lock would create the directory
		return m.from.fail("migrate", err)
	}
	return m.under(ctx, "", m.vacate)
}

func (m *migration) handOver(ctx context.Context, _ string, publish func() error) error {
	if err := publish(); err != nil {
		return err
	}
	if err := ownedfile.MkdirAll(filepath.Dir(m.to.config.Path)); err != nil {
		return m.to.fail("migrate", err)
	}
	return m.to.fail("migrate", record.Replace(ctx, m.to.config.Path, m.from.record(), m.to.record()))
}

// vacate forgets the source's backend, where it holds nothing any more, so
// that the location is free for another. Whoever writes in this very moment
// keeps it.
func (m *migration) vacate(ctx context.Context, _ string, _ func() error) error {
	if empty, err := m.emptied(ctx); err != nil || !empty {
		return err
	}
	if err := record.Remove(ctx, m.from.config.Path, m.from.record()); err != nil {
		return m.from.fail("migrate", err)
	}
	empty, err := m.emptied(ctx)
	if err == nil && !empty {
		err = m.from.claimLocation(ctx)
	}
	return err
}

// emptied tells whether the source is known to hold nothing.
func (m *migration) emptied(ctx context.Context) (bool, error) {
	if m.from.info.Stamp == backend.StampNone && m.from.info.Caps&backend.CanList == 0 {
		return false, nil
	}
	all := &migration{from: m.from}
	keys, err := all.list(ctx)
	for _, key := range keys {
		if _, found, perr := m.from.peek(ctx, key); perr != nil || found {
			return false, perr
		}
	}
	return err == nil, err
}
