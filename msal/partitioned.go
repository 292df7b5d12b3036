package msal

import (
	"context"
	"errors"
	"fmt"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
)

// PartitionOptions tune Partitioned. Nil and the zero value are fine.
type PartitionOptions struct {
	// Caches is how many clients, each with its cache, stay in memory for the
	// next call; those that nobody used for longest are let go. 0: 1,000.
	Caches int
	// Bytes bounds the same by the sizes of the caches as stored, together. In
	// memory a cache takes several times that, as MSAL keeps it parsed. 0: no
	// bound.
	Bytes int64
	// OnError is told what persist.CacheOptions.OnError is told, and of which
	// key. Nil: a warning is logged, without the key.
	OnError func(key string, err error)
	// Quarantine is as in persist.CacheOptions.
	Quarantine bool
}

// Clients hands out MSAL clients, one for each key, that keep their tokens in
// items of their own in one store. It is safe for concurrent use.
type Clients[C any] struct {
	pool *pool
	key  func(context.Context) (string, error)
}

// Partitioned returns the clients of a web app, or another program with many
// users, that keeps a token cache for each user, session or tenant, and not one
// for all: loading and merging one user's few tokens takes microseconds, users
// don't wait for each other, and none can be given another's token.
//
// key tells from a call's context whose call it is: the name of the item that
// the tokens are kept in, as for persist.Persistence.Key. It must not be empty.
// Nil: what [WithPartition] put into the context. newClient makes the client for
// one key; the options that it passes to MSAL must contain WithCache with the
// cache that it is given, which serves that one key.
//
//	http := msal.SharedDiscovery(nil)
//	clients := msal.Partitioned(p, nil, func(c cache.ExportReplace) (confidential.Client, error) {
//		return confidential.New(authority, clientID, credential, confidential.WithCache(c), confidential.WithHTTPClient(http))
//	}, nil)
//	…
//	client, err := clients.Client(msal.WithPartition(r.Context(), "session/"+name))
//
// One MSAL client can't serve several keys. It has one cache in memory, which
// it fills before it searches it, and another goroutine's call for another user
// fills it anew in between: the first then finds no token, although there is one
// (the partition key in MSAL's hints doesn't help, and isn't the same for a
// user's sign-in, refresh and sign-out). So each key has a client of its own,
// and a client is asked for with each request and not kept. It costs some
// kilobytes, and no request to the identity provider with [SharedDiscovery].
//
// Which key: one per session for sign-in by code, so that a sign-out ends that
// session alone; one per tenant, or a single one, for the application's own
// tokens; for calls on behalf of a user, what tells that user in the token that
// came in, such as its claims tid and oid. Names of items aren't secret, and the
// id of a session is renewed when somebody signs in; so make up a random name
// then, and keep that in the session.
//
// A client that was let go (see [PartitionOptions]) goes on working for whoever
// has it, and as long as somebody does, it is what everybody gets for that key.
// A token that the store would not take is never let go: such a cache stays
// in memory, whatever the options say, until it is stored, which is tried again
// when the store took another one. Tokens that MSAL acquired on behalf of a user
// are in their client's memory alone, and acquired anew when that was let go.
//
// Several processes may use one store, also for one key: what they write is
// merged. The caller closes the Clients, and then p.
func Partitioned[C any](p *persist.Persistence, key func(context.Context) (string, error),
	newClient func(cache.ExportReplace) (C, error), opts *PartitionOptions) *Clients[C] {
	return PartitionedCaches(p, key, func(c *persist.PersistedTokenCache) (C, error) { return newClient(Accessor(c)) }, opts)
}

// PartitionedCaches is [Partitioned] for clients that take the cache itself:
// those of [NewConfidential] and [NewPublic]. All that is said there holds here,
// but that their tokens on behalf of users are in the key's cache.
//
//	http := msal.SharedDiscovery(nil)
//	clients := msal.PartitionedCaches(p, nil, func(c *persist.PersistedTokenCache) (*msal.Confidential, error) {
//		return msal.NewConfidential(clientID, credential, &msal.Options{Authority: authority, Cache: c, HTTPClient: http})
//	}, nil)
//
// newClient gives the cache to one of the two, or to [Accessor]: by these it is
// known how much is in memory, and what isn't stored yet. What it returns may
// hold more than the client, such as what the program knows of the user.
func PartitionedCaches[C any](p *persist.Persistence, key func(context.Context) (string, error),
	newClient func(*persist.PersistedTokenCache) (C, error), opts *PartitionOptions) *Clients[C] {
	if key == nil {
		key = partitionOf
	}
	return &Clients[C]{key: key, pool: newPool(p, opts, func(c *persist.PersistedTokenCache) (any, error) { return newClient(c) })}
}

// Client returns the client of the key that ctx tells. It does no I/O but what
// newClient does. ErrInvalid: ctx tells no key. ErrClosed: after Close.
func (cs *Clients[C]) Client(ctx context.Context) (C, error) {
	var none C
	key, err := cs.key(ctx)
	if err != nil {
		return none, fmt.Errorf("msalext: find the key of a token cache: %w", err)
	}
	part, err := cs.pool.partition(key)
	if err != nil {
		return none, err
	}
	made, err := part.made()
	client, _ := made.(C)
	return client, err
}

// Remove signs everybody out who is in a key's cache: it deletes the item, and
// the next Client for that key is a new one. Nothing stored is no error. What
// goes wrong with the store is, and then the item may still be there. A refresh
// that is under way in another goroutine or process doesn't bring the tokens
// back, but a sign-in does.
func (cs *Clients[C]) Remove(ctx context.Context, key string) error {
	if err := checkPartition(key); err != nil {
		return err
	}
	return cs.pool.remove(ctx, key)
}

// Close makes a last attempt to store what the store would not take before, and
// fails when that fails too; then it may be called again. No further clients are
// handed out. It doesn't close the Persistence.
func (cs *Clients[C]) Close(ctx context.Context) error { return cs.pool.close(ctx) }

type partitionKey struct{}

// WithPartition returns a context for calls on behalf of one user, session or
// tenant, whose tokens are kept in the item of that name. It is what
// [Partitioned] and [PartitionedCaches] look for where they are given no
// function.
func WithPartition(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, partitionKey{}, key)
}

func partitionOf(ctx context.Context) (string, error) {
	key, _ := ctx.Value(partitionKey{}).(string)
	return key, checkPartition(key)
}

// checkPartition refuses the main item: a request without a session must not
// find the tokens of whoever came without one before.
func checkPartition(key string) error {
	if key != "" {
		return nil
	}
	return &backend.Error{Op: "choose a token cache", Kind: backend.ErrInvalid, Err: errors.New("the key is empty"),
		Hint: "name the user, session or tenant by WithPartition, or in the function given to Partitioned"}
}
