package msal_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

// TestOneClientForManyGoroutines has one client do everything at once, as a
// server's does. Access tokens live so shortly that every silent call is a
// refresh.
func TestOneClientForManyGoroutines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute, SingleUseRefreshTokens: true})
	client := w.client()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			who := fmt.Sprintf("p%d@contoso.example", i)
			r, err := byPassword(t.Context(), client, who)
			for range 3 {
				if err == nil {
					_, err = client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(r.Account))
				}
			}
			if err == nil && i%2 == 1 {
				err = client.RemoveAccount(t.Context(), r.Account)
			}
			if err != nil {
				t.Errorf("%s: %v", who, err)
			}
		})
	}
	wg.Wait()
	want := "p0@contoso.example p10@contoso.example p12@contoso.example p14@contoso.example " +
		"p2@contoso.example p4@contoso.example p6@contoso.example p8@contoso.example"
	if got := w.people(); got != want {
		t.Errorf("signed in: %q", got)
	}
	other := w.client()
	if _, err := other.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(w.account(other, "p4@contoso.example"))); err != nil {
		t.Errorf("the last refresh token isn't stored: %v", err)
	}
}

// TestSignOutAtAnyMomentOfARefresh lets both run as they come: whoever is
// first, the account is gone in the end.
func TestSignOutAtAnyMomentOfARefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute})
	refresher, remover := w.client(), w.client()
	w.signIn(refresher, bob)
	for round := range 40 {
		account := w.signIn(refresher, alice).Account
		var wg sync.WaitGroup
		wg.Go(func() {
			// It fails when it comes after the sign-out.
			_, _ = refresher.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(account))
		})
		wg.Go(func() {
			<-time.After(time.Duration(round) * 50 * time.Microsecond)
			if err := remover.RemoveAccount(t.Context(), account); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if got := w.people(); got != bob {
			t.Fatalf("round %d: signed in: %q", round, got)
		}
	}
}
