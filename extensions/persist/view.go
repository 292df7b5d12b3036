package persist

import (
	"context"
	"errors"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// A View is the cache at one moment. It never changes. The zero View is the
// empty cache before anything was read.
type View struct{ of *snapshot }

// snapshot is one state; states are told apart by address.
type snapshot struct {
	data     []byte
	readable func() []byte // made at the first use
}

// snapshotOf keeps data, which is a token cache or nothing.
func snapshotOf(data []byte) *snapshot {
	return &snapshot{data, sync.OnceValue(func() []byte {
		readable, err := tokencache.Readable(data)
		if err != nil {
			return nil // data was parsed before it came here
		}
		return readable
	})}
}

// Bytes is the cache in MSAL's JSON, nil when nothing is stored. The caller
// must not change it.
func (v View) Bytes() []byte {
	if v.of == nil {
		return nil
	}
	return v.of.data
}

// Readable is Bytes without the entries that MSAL for Go can't read, each of
// which would make it refuse the whole cache. The store keeps them. The caller
// must not change it.
func (v View) Readable() []byte {
	if v.of == nil {
		return nil
	}
	return v.of.readable()
}

// Same tells whether nothing changed between two views of one cache.
func (v View) Same(w View) bool { return v.of == w.of }

// View returns the cache as it is now, with what waits to be stored merged in.
// As long as nothing changed it costs one stat of the item's file and answers
// the same View.
//
// ErrCorrupt: what is stored isn't a token cache; it was read a second time
// under the lock, so it isn't half a write. A store that can't be read while
// changes wait to be stored is told to OnError, and the View is what is known.
func (c *PersistedTokenCache) View(ctx context.Context) (View, error) {
	failure := holding(ctx, c.loading, func() error { return c.reload(ctx) })
	view, known, err := c.known(failure)
	switch {
	case failure == nil:
		return view, err
	case !known, ctx.Err() != nil:
		return View{}, failure
	}
	c.report(failure)
	return view, err
}

// known is what is known without the store. After a failure to load that
// counts only while changes wait to be stored.
func (c *PersistedTokenCache) known(failure error) (_ View, known bool, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if failure != nil && len(c.pending) == 0 {
		return View{}, false, nil
	}
	view, err := c.view()
	return view, true, err
}

// view is stored with pending merged in; c.mu is held.
func (c *PersistedTokenCache) view() (View, error) {
	if c.current == nil {
		if c.stored == nil {
			c.stored = snapshotOf(nil)
		}
		if len(c.pending) == 0 {
			c.current = c.stored
			return View{c.current}, nil
		}
		merged, err := c.onto(c.stored.data, c.pending)
		if err != nil {
			return View{}, err
		}
		c.current = snapshotOf(merged)
	}
	return View{c.current}, nil
}

// reload brings stored up to date.
func (c *PersistedTokenCache) reload(ctx context.Context) error {
	s, err := c.p.join(ctx)
	if err != nil {
		return err
	}
	have, writes, sure := c.have()
	if s.info.Stamp != backend.StampNone && c.seen.look(c.clock, s.path(c.p.key)) && sure {
		return nil
	}
	c.seen.loading(c.clock)
	blob, err := s.load(ctx, c.p.key, have)
	switch {
	case errors.Is(err, backend.ErrNotFound):
		blob = backend.Blob{}
	case err != nil:
		c.seen = observation{}
		return err
	case blob.Unchanged:
		return nil
	}
	return c.accept(ctx, blob, writes)
}

// have tells what a load that begins now is compared with. sure tells that
// stored came from the last load; what came from a write may be older.
func (c *PersistedTokenCache) have() (_ backend.Version, writes int, sure bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sure = c.stored != nil && c.checked == c.writes
	c.checked = c.writes
	return c.version, c.writes, sure
}

// accept takes over what was loaded, if it is a token cache. Peers write in
// place, so a reader without the lock may see half a write: bytes that don't
// parse are read again under the lock.
func (c *PersistedTokenCache) accept(ctx context.Context, blob backend.Blob, writes int) error {
	if readable(blob.Data) != nil {
		again, err := c.p.update(ctx, func(old []byte) ([]byte, error) {
			if err := readable(old); err != nil {
				return nil, c.damaged(err)
			}
			return unchanged(old), nil
		})
		if err != nil {
			c.seen = observation{}
			return err
		}
		blob = again
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes == writes { // else stored came from a write meanwhile, and may be newer
		c.adopt(blob)
	}
	return nil
}

// adopt makes blob what is stored; the same version keeps the snapshot, and
// with it every View of it. c.mu is held.
func (c *PersistedTokenCache) adopt(blob backend.Blob) {
	if c.stored != nil && blob.Version == c.version {
		return
	}
	c.version, c.stored, c.current = blob.Version, snapshotOf(blob.Data), nil
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
