package msal_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// onBehalf acquires a token as an API does that was called with a token of bob.
func (w *world) onBehalf(client confidential.Client) confidential.AuthResult {
	w.Helper()
	caller := w.signIn(w.publicAlone(), bob)
	r, err := client.AcquireTokenOnBehalfOf(w.Context(), caller.AccessToken, scopes)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func TestTokensOnBehalfOfUsersStayInMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client := w.confidential()
	w.byCode(client)
	caller := w.signIn(w.publicAlone(), bob)
	for i, source := range []confidential.TokenSource{confidential.TokenSourceIdentityProvider, confidential.TokenSourceCache} {
		before := w.srv.Count(msaltest.KindTokenBehalf)
		r, err := client.AcquireTokenOnBehalfOf(t.Context(), caller.AccessToken, scopes)
		if err != nil || r.Account.PreferredUsername != bob || r.Metadata.TokenSource != source {
			t.Errorf("call %d: %v, %q from %v", i, err, r.Account.PreferredUsername, r.Metadata.TokenSource)
		}
		if n := w.srv.Count(msaltest.KindTokenBehalf) - before; n != 1-i {
			t.Errorf("call %d: %d requests", i, n)
		}
	}
	if got := w.people(); got != alice {
		t.Errorf("stored: %q", got)
	}
}

// MSAL exports after a call on behalf of a user without a Replace before it:
// what its memory has left of earlier calls must not count as new.
func TestCallOnBehalfOfDoesNotUndoASignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client, other := w.confidential(), w.confidential()
	user := w.byCode(client)
	if err := other.RemoveAccount(t.Context(), user.Account); err != nil {
		t.Fatal(err)
	}
	w.onBehalf(client)
	if got := w.people(); got != "" {
		t.Errorf("signed in: %q", got)
	}
}

// The same, where the store can't be read when a token was just issued.
func TestSignInWhileTheStoreCantBeReadDoesNotUndoASignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, s := w.cache(&persist.CacheOptions{OnError: func(error) {}})
	client := w.clientOf(cache)
	account := w.signIn(client, alice).Account
	if err := w.client().RemoveAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	locked := &backend.Error{Kind: backend.ErrLocked}
	s.fail(locked, locked)
	w.signIn(client, bob)
	s.fail(nil, nil)
	if err := cache.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.people(); got != bob {
		t.Errorf("signed in: %q", got)
	}
}

// However many clients an accessor serves, what one of them had in memory is
// known: else a write of its would count as all new.
func TestManyClientsOfOneAccessor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, s := w.cache(&persist.CacheOptions{OnError: func(error) {}})
	accessor := msal.Accessor(cache)
	first := w.clientWith(accessor)
	account := w.signIn(first, alice).Account
	for i := range 300 {
		if got := names(t, w.clientWith(accessor)); got != alice {
			t.Fatalf("client %d sees %q", i, got)
		}
	}
	if err := w.client().RemoveAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	unreadable := &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("gone")}
	s.fail(unreadable, unreadable)
	w.signIn(first, bob)
	s.fail(nil, nil)
	if err := cache.Close(t.Context()); err != nil {
		t.Fatal(fmt.Errorf("after the store came back: %w", err))
	}
	if got := w.people(); got != bob {
		t.Errorf("signed in: %q", got)
	}
}
