package msal

import (
	"container/list"
	"context"
	"sync"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/extensions/persist"
)

// partition is one key's cache, with the client that has it. The client refers
// to it, as its access to the cache; so who has the client keeps the partition
// alive.
type partition struct {
	// By pointer, since what waits for the end of MSAL's memory refers to the
	// accessor, and must not to the client that has that memory.
	*accessor

	pool *pool

	making sync.Mutex
	client any // nil: not made yet

	// guarded by the pool's mu
	place   *list.Element // among those used lately; nil: it isn't
	size    int64
	removed bool
}

var _ access = (*partition)(nil)

func newPartition(all *pool, key string) *partition {
	opts := &persist.CacheOptions{Quarantine: all.opts.Quarantine}
	if tell := all.opts.OnError; tell != nil {
		opts.OnError = func(err error) { tell(key, err) }
	}
	part := &partition{pool: all, accessor: &accessor{cache: persist.NewPersistedTokenCache(all.p.Key(key), opts)}}
	part.accessible()
	return part
}

// made returns the client, which is made at the first call.
func (part *partition) made() (any, error) {
	part.making.Lock()
	defer part.making.Unlock()
	if part.client == nil {
		client, err := part.pool.newClient(part.cache)
		if err != nil {
			return nil, err
		}
		part.client = client
	}
	return part.client, nil
}

// Replace is what MSAL calls before it looks for a token.
func (part *partition) Replace(ctx context.Context, u cache.Unmarshaler, h cache.ReplaceHints) error {
	err := part.accessor.Replace(ctx, u, h)
	if size, known := part.clients.size(); known {
		part.pool.used(part, size)
	}
	return err
}

// Export is what MSAL calls after it stored a token in its memory.
func (part *partition) Export(ctx context.Context, m cache.Marshaler, h cache.ExportHints) error {
	err := part.accessor.Export(ctx, m, h)
	part.pool.written(part)
	return err
}

// used is for the calls on behalf of people, which use the cache without MSAL.
func (part *partition) used(ctx context.Context) {
	if part.pool.opts.Bytes > 0 && part.cache.Unsaved() == 0 {
		// What is wrong with the store is for the call itself to say.
		if view, err := part.cache.View(ctx); err == nil {
			part.pool.used(part, int64(len(view.Bytes())))
		}
	}
	part.pool.written(part)
}

// size is how much the clients were given. It isn't known while one of them
// reads or writes, which may take long.
func (cs *clients) size() (bytes int64, known bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, c := range cs.byID {
		if !c.mu.TryLock() {
			return 0, false
		}
		bytes += int64(len(c.base.Bytes()))
		c.mu.Unlock()
	}
	return bytes, true
}
