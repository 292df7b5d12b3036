package persist

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// basis is what the caller of an update has of the item, so that it needn't
// come from the store again. The zero value is nothing.
//
// Nothing rests on its being current. A load names its version; and where the
// item's file looks as it did after the last write from here, the change is made
// on it at once and saved against its version, so that the store itself compares
// what it holds. Only a save that happened counts then.
type basis struct {
	blob  backend.Blob
	stamp ownedfile.Stamp // of the item's file, with blob stored; zero: not known
}

// seems tells whether the item is probably as in b; the lock is held.
func (s *shared) seems(key string, b basis) bool {
	if b.blob.Version == backend.None || b.stamp == (ownedfile.Stamp{}) {
		return false
	}
	now, err := ownedfile.Stat(s.path(key))
	return err == nil && now == b.stamp
}

// stamped notes what the item's file looks like with blob just stored; the lock
// is still held.
func (s *shared) stamped(key string, blob backend.Blob) basis {
	if s.info.Stamp == backend.StampNone {
		return basis{blob: blob}
	}
	stamp, err := ownedfile.Stat(s.path(key))
	if err != nil {
		return basis{blob: blob}
	}
	return basis{blob, stamp}
}

// guess is replace without a load. settled is false where that is needed after
// all: nothing was written, and what was decided may be wrong.
func (s *shared) guess(ctx context.Context, key string, from basis, fn func([]byte) ([]byte, error), publish func() error) (now basis, settled bool, err error) {
	now, sent, err := s.change(ctx, key, from.blob, fn, publish)
	switch {
	case !sent, errors.Is(err, backend.ErrTooLarge):
		return now, false, nil
	case errors.Is(err, backend.ErrConflict):
		s.observe(s.trace.Conflict, time.Now(), 0, err)
		return now, false, nil
	}
	return now, true, err
}

// basis is what the cache has, for a write.
func (c *PersistedTokenCache) basis() basis {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stored == nil, c.partly:
		return basis{}
	case c.left.blob.Version != c.version:
		return basis{blob: backend.Blob{Data: c.stored.data, Version: c.version}}
	}
	return c.left
}
