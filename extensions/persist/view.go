package persist

import (
	"context"
	"sync"

	"github.com/msalext/msalext/extensions/tokencache"
)

// A View is the cache at one moment. It never changes. The zero View is the
// empty cache before anything was read.
type View struct {
	of   *snapshot
	part []byte // of what is readable; nil: all
}

// snapshot is one state; states are told apart by address.
type snapshot struct {
	data     []byte
	readable func() []byte // made at the first use
	unseen   bool          // a Modify made data, and no View shows it; guarded by the cache's mu
}

// snapshotOf keeps data, which is a token cache or nothing.
func snapshotOf(data []byte) *snapshot {
	return &snapshot{data: data, readable: sync.OnceValue(func() []byte {
		readable, err := tokencache.Readable(data)
		if err != nil {
			return nil // data was parsed before it came here
		}
		return readable
	})}
}

// For is v where Readable has the tokens of these people alone, given by their
// home account ids, beside all accounts: MSAL for Go reads that sooner, and
// finds things in it sooner. It is false where nothing is stored for one of
// them; then use v.
func (v View) For(people ...string) (View, bool) {
	if v.of == nil {
		return View{}, false
	}
	part, complete, err := tokencache.ReadableFor(v.of.data, people...)
	if err != nil || !complete {
		return View{}, false
	}
	return View{v.of, part}, true // without part where nothing is stored
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
	switch {
	case v.of == nil:
		return nil
	case v.part != nil:
		return v.part
	}
	return v.of.readable()
}

// Same tells whether nothing changed between two views of one cache, whichever
// part of it they show.
func (v View) Same(w View) bool { return v.of == w.of }

// View returns the cache as it is now, with what waits to be stored merged in.
// As long as nothing changed it costs one stat of the item's file and answers
// the same View.
//
// ErrCorrupt: what is stored isn't a token cache; it was read again under the
// lock, so it isn't half a write. Bytes behind a cache that is whole are left
// out, and told to OnError; until they are gone, writes are ErrCorrupt. A store
// that can't be read while changes wait to be stored is told to OnError as well,
// and the View is what is known.
func (c *PersistedTokenCache) View(ctx context.Context) (View, error) {
	latest, failure := c.newest(ctx)
	if c.mends(ctx, failure) {
		latest, failure = c.newest(ctx)
	}
	if latest.of != nil {
		return latest, nil
	}
	if warning := c.warned(); warning != nil {
		c.tell("msalext: the token cache has bytes behind its end; it is used without them, and can't be changed", warning)
	}
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

func (c *PersistedTokenCache) newest(ctx context.Context) (latest View, err error) {
	err = holding(ctx, c.loading, func() (err error) { latest, err = c.reload(ctx); return err })
	return latest, err
}

// warned returns a warning once.
func (c *PersistedTokenCache) warned() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.warning = nil }()
	return c.warning
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
		c.stored.unseen = false
		if len(c.pending) == 0 {
			c.current = c.stored
			return View{of: c.current}, nil
		}
		merged, err := c.onto(c.stored.data, c.pending)
		if err != nil {
			return View{}, err
		}
		c.current = snapshotOf(merged)
	}
	return View{of: c.current}, nil
}
