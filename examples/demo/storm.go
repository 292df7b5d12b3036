package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/examples/internal/tenant"
	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// open opens the cache through a file plugin of this process's own.
func open(ctx context.Context, location string, use func(*extensions.PersistedTokenCache) error) (err error) {
	p, err := extensions.Open(ctx, "file", location, nil)
	if err != nil {
		return err
	}
	cache := extensions.NewPersistedTokenCache(p, nil)
	return errors.Join(use(cache), cache.Close(ctx), p.Close())
}

// signInMany signs distinct people in, one after the other.
func signInMany(ctx context.Context, location string, process int) error {
	return open(ctx, location, func(cache *extensions.PersistedTokenCache) error {
		t, err := tenant.FromEnv()
		if err != nil {
			return err
		}
		defer t.Close()
		client, err := public.New(t.ClientID, t.Options(public.WithCache(msal.Accessor(cache)))...)
		if err != nil {
			return err
		}
		for i := range signIns {
			person := fmt.Sprintf("person%d-%d@contoso.example", process, i)
			if _, err := byPassword(ctx, client, t.Scopes, person); err != nil {
				return fmt.Errorf("sign-in of %s: %w", person, err)
			}
		}
		return nil
	})
}

// passwords is MSAL's sign-in without a person. MSAL deprecates it, since
// programs should not see passwords; nobody is there to type a code 240 times.
type passwords interface {
	AcquireTokenByUsernamePassword(ctx context.Context, scopes []string, username, password string,
		opts ...public.AcquireByUsernamePasswordOption) (public.AuthResult, error)
}

func byPassword(ctx context.Context, client passwords, scopes []string, person string) (public.AuthResult, error) {
	return client.AcquireTokenByUsernamePassword(ctx, scopes, person, msaltest.DefaultPassword)
}

// count prints how many of the people are in the cache, and fails unless all
// are.
func count(ctx context.Context, location string) error {
	return open(ctx, location, func(cache *extensions.PersistedTokenCache) error {
		accounts, err := cache.Accounts(ctx)
		if err != nil {
			return err
		}
		kept := map[string]bool{}
		for _, a := range accounts {
			kept[a.Username] = true
		}
		fmt.Printf("%d of %d accounts kept\n", len(kept), processes*signIns)
		if len(kept) != processes*signIns {
			return errors.New("accounts were lost")
		}
		return nil
	})
}
