package persist

import (
	"context"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/tokencache"
)

// Search returns the entries that q asks for, from the cache as it is now, with
// what waits to be stored merged in; nil where there are none. It changes
// nothing. Where q.Now is zero, access tokens that have expired are left out as
// of now, as MSAL Python's search does; a q.Now of time.Unix(0, 0) finds them.
//
// As long as the cache doesn't change, a search costs one stat of the item's
// file and a lookup. The first one after a change parses the cache.
//
// The errors are those of View.
func (c *PersistedTokenCache) Search(ctx context.Context, q tokencache.Query) ([]tokencache.Entry, error) {
	if q.Now.IsZero() {
		q.Now = time.Now()
	}
	var found []tokencache.Entry
	err := c.look(ctx, func(tc *tokencache.TokenCache) { found = tc.Search(q) })
	return found, err
}

// look runs fn on the cache as it is now, parsed. fn must not change it.
func (c *PersistedTokenCache) look(ctx context.Context, fn func(*tokencache.TokenCache)) error {
	view, err := c.View(ctx)
	if err != nil {
		return err
	}
	if err := c.parsed.look(view.of, fn); err != nil {
		return c.damaged(err)
	}
	return nil
}

// Add stores what a token endpoint answered, exclusively across processes; see
// [tokencache.TokenCache.Add]. A zero e.Now is now. An event that can't be
// stored is tokencache.ErrInvalid. When the store fails, nothing is kept: the
// error says so.
func (c *PersistedTokenCache) Add(ctx context.Context, e tokencache.Event) error {
	if e.Now.IsZero() {
		e.Now = time.Now()
	}
	return c.Modify(ctx, func(tc *tokencache.TokenCache) error { return tc.Add(e) })
}

// parsed is the state that was searched last, with its indexes. Its memory is
// held until the next search in another state.
type parsed struct {
	mu    sync.Mutex
	of    *snapshot
	cache tokencache.TokenCache
}

func (p *parsed) look(of *snapshot, fn func(*tokencache.TokenCache)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of != of {
		if err := p.cache.Deserialize(of.data); err != nil {
			return err
		}
		p.of = of
	}
	fn(&p.cache)
	return nil
}
