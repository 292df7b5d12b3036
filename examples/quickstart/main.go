// Command quickstart signs a person in once; every run after that is silent.
//
// It signs in at a fake Entra ID, which approves by itself. For a real tenant
// set AZURE_CLIENT_ID to a public client's application id, and AZURE_AUTHORITY
// to its authority.
//
//	quickstart [location]
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/examples/internal/tenant"
	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/msal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	location, err := location()
	if err != nil {
		return err
	}
	// The platform's key store; the plain file only where there is none, and
	// only because this program says so.
	p, err := extensions.BuildPersistence(ctx, location, &extensions.Options{FallbackToPlaintext: true})
	if err != nil {
		return err
	}
	defer p.Close()
	fmt.Println("backend:   ", p.Backend())
	fmt.Println("protection:", p.Protection())
	fmt.Println("encrypted: ", p.IsEncrypted())

	cache := extensions.NewPersistedTokenCache(p, nil)
	defer func() { err = errors.Join(err, cache.Close(context.WithoutCancel(ctx))) }()
	return signIn(ctx, cache)
}

func location() (string, error) {
	if len(os.Args) > 1 {
		return os.Args[1], nil
	}
	return extensions.DefaultLocation("msalext-quickstart")
}

func signIn(ctx context.Context, cache *extensions.PersistedTokenCache) error {
	t, err := tenant.FromEnv()
	if err != nil {
		return err
	}
	defer t.Close()
	client, err := public.New(t.ClientID, t.Options(public.WithCache(msal.Accessor(cache)))...)
	if err != nil {
		return err
	}
	result, err := token(ctx, client, t)
	if err != nil {
		return err
	}
	source := "the identity provider"
	if result.Metadata.TokenSource == public.TokenSourceCache {
		source = "the cache"
	}
	fmt.Printf("token of %s, from %s\n", result.Account.PreferredUsername, source)
	return nil
}

// token asks the person only when no account in the cache will do.
func token(ctx context.Context, client public.Client, t *tenant.Tenant) (public.AuthResult, error) {
	accounts, err := client.Accounts(ctx)
	if err != nil {
		return public.AuthResult{}, err
	}
	for _, account := range accounts {
		if result, err := client.AcquireTokenSilent(ctx, t.Scopes, public.WithSilentAccount(account)); err == nil {
			return result, nil
		}
	}
	code, err := client.AcquireTokenByDeviceCode(ctx, t.Scopes)
	if err != nil {
		return public.AuthResult{}, err
	}
	t.Show(code.Result.Message)
	return code.AuthenticationResult(ctx)
}
