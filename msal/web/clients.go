package web

import (
	"container/list"
	"context"
	"errors"
	"sync"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
)

// client is one session's MSAL client, which has that session's tokens and no
// others: one client for several people would have to be filled anew for each.
type client struct {
	*msal.Confidential

	key   string
	cache *persist.PersistedTokenCache

	// guarded by clients.mu
	place *list.Element
	users int

	mu      sync.Mutex
	account *public.Account // nil: not looked for yet
}

// clients are those in memory. Dropping one loses nothing but time, as long as
// nobody uses it and the store took all that it has.
type clients struct {
	tokens    *persist.Persistence
	newClient func(*persist.PersistedTokenCache) (*msal.Confidential, error)
	most      int

	mu     sync.Mutex // never held during I/O
	byKey  map[string]*client
	recent list.List // of *client, the one used last in front
	closed bool
}

func newClients(tokens *persist.Persistence, most int, make func(*persist.PersistedTokenCache) (*msal.Confidential, error)) *clients {
	return &clients{tokens: tokens, most: most, newClient: make, byKey: map[string]*client{}}
}

// newClient makes a client. They share the network, which remembers where the
// endpoints are.
func (a *App) newClient(cache *persist.PersistedTokenCache) (*msal.Confidential, error) {
	c, err := msal.NewConfidential(a.cfg.ClientID, a.cfg.Credential, &msal.Options{
		Authority: a.cfg.Authority, Cache: cache, HTTPClient: a.network, Capabilities: a.cfg.Capabilities,
		DisableInstanceDiscovery: a.cfg.DisableInstanceDiscovery,
	})
	if err != nil {
		return nil, errors.Join(unusable("ClientID, Authority or Credential", "MSAL doesn't take them"), err)
	}
	return c, nil
}

// of returns the client of a key, and what to call when it isn't used any more.
func (cs *clients) of(key string) (*client, func(), error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		return nil, nil, &backend.Error{Op: "choose a token cache", Kind: backend.ErrClosed, Hint: "ask for tokens before Close"}
	}
	c := cs.byKey[key]
	if c == nil {
		cache := persist.NewPersistedTokenCache(cs.tokens.Key(key), nil)
		made, err := cs.newClient(cache)
		if err != nil {
			return nil, nil, err
		}
		c = &client{Confidential: made, key: key, cache: cache}
		cs.byKey[key] = c
		c.place = cs.recent.PushFront(c)
	}
	c.users++
	cs.recent.MoveToFront(c.place)
	return c, sync.OnceFunc(func() { cs.release(c) }), nil
}

func (cs *clients) release(c *client) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.users--
	cs.trim()
}

// maxLook bounds how many clients that have to stay are passed over at once,
// when the store takes nothing for a while.
const maxLook = 16

// trim lets go of what was used longest ago; cs.mu is held.
func (cs *clients) trim() {
	next := cs.recent.Back()
	for range maxLook {
		if next == nil || cs.recent.Len() <= cs.most {
			return
		}
		c := next.Value.(*client)
		next = next.Prev()
		if c.users == 0 && c.cache.Unsaved() == 0 {
			cs.drop(c)
		}
	}
}

// drop forgets a client; cs.mu is held.
func (cs *clients) drop(c *client) {
	if cs.byKey[c.key] == c {
		delete(cs.byKey, c.key)
		cs.recent.Remove(c.place)
	}
}

// remove deletes the tokens of a key. What waits to be stored goes first, since
// it would come back afterwards.
func (cs *clients) remove(ctx context.Context, key string) error {
	cs.mu.Lock()
	c := cs.byKey[key]
	cs.mu.Unlock()
	if c != nil {
		if err := c.cache.Close(ctx); err != nil {
			return err
		}
	}
	if err := cs.tokens.Key(key).Delete(ctx); err != nil {
		return err
	}
	if c != nil {
		cs.mu.Lock()
		defer cs.mu.Unlock()
		cs.drop(c)
	}
	return nil
}

// close stores what waits to be stored.
func (cs *clients) close(ctx context.Context) error {
	cs.mu.Lock()
	cs.closed = true
	var waiting []*client
	for _, c := range cs.byKey {
		if c.cache.Unsaved() > 0 {
			waiting = append(waiting, c)
		}
	}
	cs.mu.Unlock()
	var failures []error
	for _, c := range waiting {
		failures = append(failures, c.cache.Close(ctx))
	}
	return errors.Join(failures...)
}
