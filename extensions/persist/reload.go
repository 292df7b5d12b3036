package persist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// reload brings stored up to date. Where it is already, the View may come with
// that.
func (c *PersistedTokenCache) reload(ctx context.Context) (View, error) {
	s, err := c.p.join(ctx)
	if err != nil {
		return View{}, err
	}
	if s.info.Stamp != backend.StampNone && c.seen.look(c.clock, s.path(c.p.key)) {
		if latest, sure := c.latest(); sure {
			return latest, nil
		}
	}
	have, writes := c.have()
	c.seen.loading(c.clock)
	blob, err := s.load(ctx, c.p.key, have)
	switch {
	case errors.Is(err, backend.ErrNotFound):
		blob = backend.Blob{}
	case err != nil:
		c.seen = observation{}
		return View{}, err
	case blob.Unchanged:
		return View{}, nil
	}
	return View{}, c.accept(ctx, blob, writes)
}

// latest is the View, if it was made. It is sure where stored came from the
// last load; what came from a write may be older.
func (c *PersistedTokenCache) latest() (_ View, sure bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return View{of: c.current}, c.stored != nil && c.checked == c.writes
}

// have tells what a load that begins now is compared with.
func (c *PersistedTokenCache) have() (_ backend.Version, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked = c.writes
	return c.version, c.writes
}

// accept takes over what was loaded, if it is a token cache. Peers write in
// place, so a reader without the lock may see half a write: bytes that don't
// parse, and a file without any, are read again under the lock. Where a whole cache has bytes behind it
// even then, the cache is used, so that people stay signed in; but nothing is
// written over what nobody has looked at.
func (c *PersistedTokenCache) accept(ctx context.Context, blob backend.Blob, writes int) error {
	data, rest, err := tokencache.Leading(blob.Data)
	usable := err == nil && !c.emptied(blob)
	if !usable || len(rest) > 0 {
		again, lerr := c.reread(ctx, usable)
		switch {
		case lerr == nil:
			blob = again
			data, rest, err = tokencache.Leading(blob.Data)
		case !usable, ctx.Err() != nil:
			c.seen = observation{}
			return lerr
		}
	}
	if err != nil {
		c.seen = observation{}
		return c.damaged(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes == writes { // else stored came from a write meanwhile, and may be newer
		c.adopt(backend.Blob{Data: data, Version: blob.Version})
		c.partly = len(rest) > 0
		if len(rest) > 0 {
			c.warning = c.damaged(fmt.Errorf("%d bytes follow the cache", len(rest)))
		}
	}
	return nil
}

// emptied tells that a file is there with nothing in it: a peer may be about to
// write. Some leave such a file for good, which is asked about once.
func (c *PersistedTokenCache) emptied(blob backend.Blob) bool {
	if len(blob.Data) > 0 || !c.seen.present || c.p.now().info.Stamp != backend.StampData {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stored == nil || c.version != backend.None
}

// usableWait is how long a cache that can be used as it is waits for the lock.
const usableWait = time.Second

// reread reads under the lock, where peers that respect it don't write, and
// once more a little later where that isn't a cache: others don't.
func (c *PersistedTokenCache) reread(ctx context.Context, usable bool) (blob backend.Blob, err error) {
	if usable {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, usableWait)
		defer cancel()
	}
	err = c.patiently(ctx, func() error {
		stored, err := c.p.update(ctx, basis{}, func(old []byte) ([]byte, error) {
			if _, _, err := tokencache.Leading(old); err != nil {
				return nil, c.damaged(err)
			}
			return unchanged(old), nil
		})
		blob = stored.blob
		return err
	})
	return blob, err
}

// patiently runs fn again, a few times, as long as what is stored isn't a token
// cache: a peer that writes in place without the lock may be in the middle.
func (c *PersistedTokenCache) patiently(ctx context.Context, fn func() error) error {
	for wait := 5 * time.Millisecond; ; wait *= 2 {
		err := fn()
		if !errors.Is(err, backend.ErrCorrupt) || wait > 100*time.Millisecond {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// adopt makes blob what is stored; the same version keeps the snapshot, and
// with it every View of it. c.mu is held.
func (c *PersistedTokenCache) adopt(blob backend.Blob) {
	if c.stored != nil && blob.Version == c.version {
		return
	}
	c.version, c.stored, c.current = blob.Version, snapshotOf(blob.Data), nil
	c.partly, c.left = false, basis{}
}

func readable(data []byte) error {
	var tc tokencache.TokenCache
	return tc.Deserialize(data)
}

// unchanged returns what Update takes for "write nothing", also where nothing
// is stored.
func unchanged(old []byte) []byte {
	if old == nil {
		return []byte{}
	}
	return old
}
