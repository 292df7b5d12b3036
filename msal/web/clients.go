package web

import (
	"context"
	"errors"
	"sync"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
)

// client is one session's MSAL client, which has that session's tokens and no
// others: one client for several people would have to be filled anew for each.
type client struct {
	*msal.Confidential

	cache *persist.PersistedTokenCache

	mu      sync.Mutex
	account *public.Account // nil: not looked for yet
}

// newClients makes them as they are asked for.
func (a *App) newClients() *msal.Clients[*client] {
	return msal.PartitionedCaches(a.cfg.Tokens, nil, func(cache *persist.PersistedTokenCache) (*client, error) {
		made, err := a.newClient(cache)
		return &client{Confidential: made, cache: cache}, err
	}, &msal.PartitionOptions{Caches: a.cfg.Caches})
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

// clientOf returns the one of a key, for one request.
func (a *App) clientOf(ctx context.Context, key string) (*client, error) {
	return a.clients.Client(msal.WithPartition(ctx, key))
}
