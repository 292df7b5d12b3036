package persist

import (
	"context"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// CacheOptions tune a PersistedTokenCache. Nil and the zero value are fine.
type CacheOptions struct {
	// OnError is told when the store would not take a change, which is then
	// kept in memory, and when it could not be read while such changes were
	// kept. It may be called from several goroutines and must return soon.
	// Nil: a warning is logged.
	OnError func(error)
}

// A PersistedTokenCache is an MSAL token cache in a store shared with other
// processes. Reading reloads by itself once another process wrote; writing
// merges entry by entry with what others wrote meanwhile. It is safe for
// concurrent use.
type PersistedTokenCache struct {
	p       *Persistence
	onError func(error)
	clock   clock

	turn    chan struct{} // holds one token; who has it owns what follows
	seen    observation
	version backend.Version // of stored
	stored  *snapshot       // as last loaded; nil: never
	pending []change        // not stored yet, in order
	current *snapshot       // stored with pending merged in; nil: to be made
}

// NewPersistedTokenCache returns the token cache that p keeps. It does no I/O.
// The caller closes p after it has closed the cache.
func NewPersistedTokenCache(p *Persistence, opts *CacheOptions) *PersistedTokenCache {
	c := &PersistedTokenCache{p: p, clock: systemClock, turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	if opts != nil {
		c.onError = opts.OnError
	}
	return c
}

// IsEncrypted tells whether the store encrypts what it keeps.
func (c *PersistedTokenCache) IsEncrypted() bool { return c.p.IsEncrypted() }

// Accounts lists who is signed in, in a fixed order.
func (c *PersistedTokenCache) Accounts(ctx context.Context) ([]tokencache.Account, error) {
	v, err := c.View(ctx)
	if err != nil {
		return nil, err
	}
	var tc tokencache.TokenCache
	if err := tc.Deserialize(v.Bytes()); err != nil {
		return nil, c.damaged(err)
	}
	return tc.Accounts(), nil
}

// RemoveAccount signs an account out: it and every token of it, under every
// name of its environment, are gone from the store; of the refresh tokens,
// those of clientID and of application families, or all where clientID is
// empty. An account that isn't there is no error.
func (c *PersistedTokenCache) RemoveAccount(ctx context.Context, a tokencache.Account, clientID string) error {
	return c.Modify(ctx, func(tc *tokencache.TokenCache) error {
		tc.RemoveAccount(a, clientID)
		return nil
	})
}

// Modify changes the cache exclusively across processes: lock, reload, fn,
// save. fn may run more than once, and its error ends the call and is
// returned as it is. When the store fails, nothing is kept: the error says so.
func (c *PersistedTokenCache) Modify(ctx context.Context, fn func(*tokencache.TokenCache) error) error {
	return c.exclusively(ctx, func() error {
		return c.write(ctx, func(data []byte) ([]byte, error) {
			var tc tokencache.TokenCache
			if err := tc.Deserialize(data); err != nil {
				return nil, c.damaged(err)
			}
			if err := fn(&tc); err != nil {
				return nil, err
			}
			return tc.Serialize(), nil
		})
	})
}

// Close makes a last attempt to store what the store would not take before,
// and fails when that fails too; what was kept is then still kept, and Close
// may be called again. It doesn't close the Persistence.
func (c *PersistedTokenCache) Close(ctx context.Context) error {
	return c.exclusively(ctx, func() error {
		n := len(c.pending)
		if n == 0 {
			return nil
		}
		if err := c.write(ctx, func(data []byte) ([]byte, error) { return data, nil }); err != nil {
			return fmt.Errorf("%d changes to the token cache could not be stored: %w", n, err)
		}
		return nil
	})
}

// exclusively runs fn with c's fields to itself.
func (c *PersistedTokenCache) exclusively(ctx context.Context, fn func() error) error {
	select {
	case <-c.turn:
	case <-ctx.Done():
		return &backend.Error{Op: "use the token cache", Err: context.Cause(ctx)}
	}
	defer func() { c.turn <- struct{}{} }()
	return fn()
}

// damaged says that what is stored isn't a token cache.
func (c *PersistedTokenCache) damaged(err error) error {
	return &backend.Error{Op: "read the token cache", Backend: c.p.Backend(), Kind: backend.ErrCorrupt, Err: err,
		Hint: "what is stored is kept; move it away to begin anew"}
}

// report tells OnError, or the log.
func (c *PersistedTokenCache) report(err error) {
	if c.onError != nil {
		c.onError(err)
		return
	}
	if s := c.p.opened(); s.log != nil {
		s.log.Warn("msalext: a change to the token cache is kept in memory only", "error", err)
	}
}
