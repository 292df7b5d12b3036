package msal

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
)

// exportTimeout bounds a write, whatever the caller's ctx says.
const exportTimeout = 60 * time.Second

// Accessor returns what the WithCache options of MSAL's public and
// confidential clients take. It reads c before MSAL looks for a token, and
// merges into c what MSAL changed.
//
// A token that was just issued is never lost to a failing store: MSAL's call
// returns it, c keeps it in memory and tells its CacheOptions.OnError, and c
// stores it with the next write or in Close. A store that can't be read makes
// silent calls and Accounts fail with the store's error, and a sign-out that
// can't be stored is an error as well.
//
// The result is safe for concurrent use, by any number of clients.
//
// c may be one that [PartitionedCaches] made; then those who use it keep it in
// memory.
func Accessor(c *persist.PersistedTokenCache) cache.ExportReplace { return accessTo(c) }

type accessor struct {
	cache   *persist.PersistedTokenCache
	clients clients
}

var _ cache.ExportReplace = (*accessor)(nil)

// Replace gives MSAL the cache as it is stored now, or what it needs of it. The
// hint names the person whose tokens MSAL looks for, or is empty; it doesn't
// say where to store what it brings, since MSAL uses different keys for one
// user's sign-in and refresh
// (AzureAD/microsoft-authentication-library-for-go#424).
func (a *accessor) Replace(ctx context.Context, u cache.Unmarshaler, h cache.ReplaceHints) error {
	client := a.clients.of(u)
	if client.onBehalf {
		return nil
	}
	n := need{person: h.PartitionKey}
	if n.person == "" {
		n = needOfCaller()
	}
	err := a.replace(ctx, client, u, n)
	if err != nil && currentCall().issued {
		client.rewind(u)
		return nil // an error here would throw the token away; Export keeps it and tells
	}
	return err
}

// rewind makes MSAL's memory what base holds where it can't be what is stored,
// so that Export finds nothing new in it but the issued token.
func (c *client) rewind(u cache.Unmarshaler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// MSAL has read these bytes before. If it can't now, its memory is as it
	// was, and to store too much is better than to lose the token.
	_ = u.Unmarshal(c.base.Readable())
	c.current, c.comparable = false, true
}

// need is what MSAL looks for: all tokens, those of one person, or, where it is
// zero, accounts alone.
type need struct {
	person    string
	everybody bool
	signsOut  bool // somebody, and who isn't said
}

// replace brings MSAL's memory up to date, unless it is: unmarshalling costs
// most of a silent call. What MSAL wrote and then, for an error of its own,
// didn't export stays in its memory, and is stored with the next write.
func (a *accessor) replace(ctx context.Context, client *client, u cache.Unmarshaler, n need) error {
	client.mu.Lock() // base and MSAL's memory change together
	defer client.mu.Unlock()
	view, err := a.cache.View(ctx)
	if err != nil {
		client.current = false
		return err
	}
	if client.current && view.Same(client.base) && client.holds(n) && !n.signsOut {
		client.comparable = true
		return nil
	}
	client.current = false
	aboutToRead(a.cache, view)
	view = client.share(view, n)
	readable := view.Readable()
	client.copies = nil
	if n.signsOut {
		readable, client.copies = withAliases(readable)
	}
	if err := u.Unmarshal(readable); err != nil {
		return &backend.Error{Op: "load into MSAL", Kind: backend.ErrCorrupt,
			Err:  fmt.Errorf("MSAL doesn't understand an entry of the token cache (%T)", err),
			Hint: "what is stored is kept; move it away to begin anew"}
	}
	client.base, client.current, client.comparable = view, len(client.copies) == 0, true
	return nil
}

// Export stores what MSAL changed since Replace.
func (a *accessor) Export(ctx context.Context, m cache.Marshaler, _ cache.ExportHints) error {
	ours, err := m.Marshal()
	if err != nil {
		return fmt.Errorf("msalext: MSAL could not serialize its cache: %w", err)
	}
	client := a.clients.of(m)
	client.mu.Lock()
	defer client.mu.Unlock()
	if !client.comparable && ofMSAL(m) {
		return nil // a call on behalf of a user: what it brought isn't in m, and the rest was stored before
	}
	ours = client.copies.undo(ours)
	client.current, client.comparable, client.copies = false, false, nil
	call := currentCall()
	if call.issued {
		ctx = context.WithoutCancel(ctx) // it may have ended in the moment the token came
	}
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	_, err = a.cache.Merge(ctx, client.base, ours, call.op)
	if call.issued {
		return nil // the cache keeps what it could not store, and has told OnError
	}
	return err
}

// ofMSAL tells whether m is MSAL's own memory. What a decorator has put around
// it may be another value at each call: then no base is known, and to store too
// much is better than to lose a token.
func ofMSAL(m cache.Marshaler) bool {
	t := reflect.TypeOf(m)
	return t.Kind() == reflect.Pointer && strings.Contains(t.Elem().PkgPath(), "/microsoft-authentication-library-for-go/")
}

// onBehalfOf tells whether memory is the part of MSAL's cache for tokens
// acquired on behalf of a user. Its type has no exported name.
func onBehalfOf(memory any) bool {
	t := reflect.TypeOf(memory)
	return t.Kind() == reflect.Pointer && t.Elem().Name() == "PartitionedManager"
}
