package persist

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/filelock"
	"github.com/msalext/msalext/internal/ownedfile"
	"github.com/msalext/msalext/internal/record"
)

// finish makes the target the keeper of a location that both share, and brings
// the copies up to date: whoever writes with the source's backend after that is
// refused, and whoever began before is waited for at the item's lock.
func (m *migration) finish(ctx context.Context) error {
	if m.moved {
		if err := m.under(ctx, "", m.handOver); err != nil {
			return err
		}
		if err := m.from.calm(ctx); err != nil {
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

// calm waits for those who write to the store just now: at their locks, and
// where there are none for as long as a write may take. They may have looked at
// the record before it changed, and write an item that no list has yet.
func (s *shared) calm(ctx context.Context) error {
	if s.cas() {
		select {
		case <-time.After(s.limit):
			return nil
		case <-ctx.Done():
			return s.fail("migrate", context.Cause(ctx))
		}
	}
	dir, base := filepath.Split(s.config.Path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return s.fail("migrate", ownedfile.Wrap("list", err))
	}
	for _, e := range entries {
		name, locked := strings.CutSuffix(e.Name(), ".lockfile")
		if !locked || name != base && !strings.HasPrefix(name, base+".key-") {
			continue
		}
		lock, err := filelock.Acquire(ctx, filepath.Join(dir, name), filelock.Options{Logger: s.log})
		if err != nil {
			return s.fail("migrate", err)
		}
		s.release(lock)
	}
	return nil
}

// leave gives up the source's location, where all of it was to be deleted.
func (m *migration) leave(ctx context.Context) error {
	if m.one != nil || !m.opts.DeleteSource || m.opts.DryRun || m.from.unlocated() || m.from.place() == m.to.place() {
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
	err := record.Replace(ctx, m.to.config.Path, m.from.record(), m.to.record())
	m.handed = err == nil
	return m.to.fail("migrate", err)
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
	keys, err := m.from.all(ctx, "migrate", nil)
	if errors.Is(err, backend.ErrUnsupported) || errors.Is(err, backend.ErrCorrupt) { // something is there, whose key isn't known
		return false, nil
	}
	for _, key := range keys {
		_, found, perr := m.from.peek(ctx, key)
		if m.stays(key, perr) {
			return false, nil
		}
		if perr != nil || found {
			return false, perr
		}
	}
	return err == nil, err
}
