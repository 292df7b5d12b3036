package persist

import (
	"context"
	"fmt"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// CacheOptions tune a PersistedTokenCache. Nil and the zero value are fine.
type CacheOptions struct {
	// OnError is told when the store would not take a change, which is then
	// kept in memory, when it could not be read while such changes were kept,
	// and when bytes behind the cache keep it from being changed. It may be
	// called from several goroutines and must return soon. It may use the
	// cache; what fails then is logged. It must not use the MSAL client whose
	// call it interrupts. Nil: a warning is logged.
	OnError func(error)
	// Quarantine moves what is stored aside when it is no token cache, and goes
	// on with an empty one, as PersistedTokenCache.Quarantine does it; a warning
	// is logged. People have to sign in again then. Without it such a cache is
	// ErrCorrupt until somebody moves it.
	Quarantine bool
	// RestoreOverwritten puts back what other programs take away that write what
	// they read before they had the lock: the official extension for Go, and MSAL
	// Extensions for Java. For six seconds after each write from here the cache
	// is watched; what then goes back to exactly what it was before that write is
	// written again, and looked after for as long again. A sign-out that was
	// undone so is repeated, too. What has become anything else was done by
	// somebody who knew of the write, and stays. Such programs also leave the
	// cache damaged when two of them write at once, and then nobody can write:
	// Quarantine mends that.
	//
	// A program that ends sooner can't put anything back. So Close goes on
	// watching until nobody else has written for 300 ms, six seconds at most, or
	// until its ctx ends. And when another program signs a person out within
	// seconds of the sign-in here, that looks the same, and is undone; among
	// programs that set this, the sign-out counts. So set it in all of yours that
	// share the cache. They tell each other by digests of what they wrote in the
	// last minutes, in the file P.writes beside the cache P. Stores that compare
	// and swap by themselves don't need this and ignore it.
	RestoreOverwritten bool
}

// A PersistedTokenCache is an MSAL token cache in a store shared with other
// processes. Reading reloads by itself once another process wrote; writing
// merges entry by entry with what others wrote meanwhile. It is safe for
// concurrent use.
type PersistedTokenCache struct {
	p          *Persistence
	onError    func(error)
	quarantine bool
	restoring  *restoring // nil: what others overwrite stays so
	clock      clock

	// Writers wait for each other and for other processes, readers only for
	// the load of another reader. Each channel holds one token.
	writing chan struct{} // who has it may write to the store, and owns edited
	edited  edited
	loading chan struct{} // who has it may load, and owns seen
	seen    observation
	telling sync.Map // goroutines that are in onError

	mu      sync.Mutex      // never held during I/O; guards what follows
	version backend.Version // of stored
	stored  *snapshot       // as last loaded; nil: never
	partly  bool            // more than stored has that version
	left    basis           // as the last write left it
	writes  int             // how often stored came from a write
	checked int             // writes, when the last load began
	pending []*change       // not stored yet, in order
	current *snapshot       // stored with pending merged in; nil: to be made
	warning error           // of what was loaded last; to be told

	parsed parsed // what Search looks into; has a lock of its own
}

// NewPersistedTokenCache returns the token cache that p keeps. It does no I/O.
// The caller closes p after it has closed the cache.
func NewPersistedTokenCache(p *Persistence, opts *CacheOptions) *PersistedTokenCache {
	c := &PersistedTokenCache{p: p, clock: systemClock, writing: make(chan struct{}, 1), loading: make(chan struct{}, 1)}
	c.writing <- struct{}{}
	c.loading <- struct{}{}
	if opts != nil {
		c.onError, c.quarantine = opts.OnError, opts.Quarantine
		if opts.RestoreOverwritten {
			c.restoring = &restoring{c: c, window: restoreWindow}
		}
	}
	return c
}

// IsEncrypted tells whether the store encrypts what it keeps.
func (c *PersistedTokenCache) IsEncrypted() bool { return c.p.IsEncrypted() }

// Accounts lists who is signed in, in a fixed order.
func (c *PersistedTokenCache) Accounts(ctx context.Context) ([]tokencache.Account, error) {
	var accounts []tokencache.Account
	err := c.look(ctx, func(tc *tokencache.TokenCache) { accounts = tc.Accounts() })
	return accounts, err
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
//
// fn may read the same cache, and finds it as it was. It must not change it
// but by its argument: Modify, Merge and the like fail with ErrInvalid.
func (c *PersistedTokenCache) Modify(ctx context.Context, fn func(*tokencache.TokenCache) error) error {
	s, err := c.p.join(ctx)
	if err != nil {
		return err
	}
	change := s.marked(c.p.key, func(data []byte) ([]byte, error) {
		tc, err := c.edited.take(data)
		if err != nil {
			return nil, c.damaged(err)
		}
		if err := fn(tc); err != nil {
			return nil, err
		}
		return c.edited.leave(tc), nil
	})
	return c.alone(ctx, func() error { return c.write(ctx, change) })
}

// Close makes a last attempt to store what the store would not take before,
// and fails when that fails too; what was kept is then still kept, and Close
// may be called again. It doesn't close the Persistence.
//
// With CacheOptions.RestoreOverwritten it also waits until others are quiet,
// and nothing of the watch is left afterwards, unless somebody writes again.
func (c *PersistedTokenCache) Close(ctx context.Context) error {
	defer c.restoring.finish(ctx)
	return c.alone(ctx, func() error {
		c.condense()
		n := len(c.waiting())
		if n == 0 {
			return nil
		}
		if err := c.write(ctx, asIs); err != nil {
			return fmt.Errorf("msalext: close the token cache: %d of its changes could not be stored: %w", n, err)
		}
		return nil
	})
}

// alone runs fn, which writes, without another writer of this cache.
func (c *PersistedTokenCache) alone(ctx context.Context, fn func() error) error {
	if s, err := c.p.join(ctx); err == nil {
		if err := s.enter("change the token cache", c.p.key); err != nil {
			return err
		}
	}
	err := holding(ctx, c.writing, fn)
	if c.mends(ctx, err) {
		err = holding(ctx, c.writing, fn)
	}
	return err
}

func holding(ctx context.Context, token chan struct{}, fn func() error) error {
	select {
	case <-token: // at once: to wait for two channels takes longer than most reads
	default:
		select {
		case <-token:
		case <-ctx.Done():
			return &backend.Error{Op: "use the token cache", Err: context.Cause(ctx)}
		}
	}
	defer func() { token <- struct{}{} }()
	return fn()
}

// damaged says that what is stored isn't a token cache.
func (c *PersistedTokenCache) damaged(err error) error {
	return &backend.Error{Op: "read the token cache", Backend: c.p.now().name, Kind: backend.ErrCorrupt, Err: err,
		Hint: "what is stored is kept; Quarantine moves it aside to begin anew"}
}

// report tells that a change isn't stored.
func (c *PersistedTokenCache) report(err error) {
	c.tell("msalext: a change to the token cache is kept in memory only", err)
}

// tell tells OnError, or the log. OnError that uses the cache may fail in the
// same way, and would be told of that for ever.
func (c *PersistedTokenCache) tell(what string, err error) {
	here := goroutine()
	if _, within := c.telling.LoadOrStore(here, nil); !within {
		defer c.telling.Delete(here)
		if c.onError != nil {
			c.onError(err)
			return
		}
	}
	c.p.now().log.Warn(what, "error", err)
}
