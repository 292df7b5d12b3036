// Command inprocess is the quickstart with its backend linked in: no plugin,
// no second process, and neither go-plugin nor gRPC in the program.
//
//	inprocess [location]
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/examples/internal/tenant"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/plugins/file"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "inprocess:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	p, err := open(ctx)
	if err != nil {
		return err
	}
	defer p.Close()
	fmt.Println("backend:   ", p.Backend())
	fmt.Println("protection:", p.Protection())
	fmt.Println("encrypted: ", p.IsEncrypted())

	cache := persist.NewPersistedTokenCache(p, nil)
	defer func() { err = errors.Join(err, cache.Close(ctx)) }()
	return signIn(ctx, cache)
}

// open opens a backend without package extensions, which would bring the
// plugin host along.
func open(ctx context.Context) (*persist.Persistence, error) {
	location, err := location()
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(location)
	if err != nil {
		return nil, err
	}
	b, c := file.Backend(), backend.Config{Location: location, Path: path}
	store, err := b.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return persist.New(b.Describe().Name, store, c, &persist.Options{ClaimedBy: "this program"}), nil
}

func location() (string, error) {
	if len(os.Args) > 1 {
		return os.Args[1], nil
	}
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "msalext-inprocess", "token-cache"), err
}

func signIn(ctx context.Context, cache *persist.PersistedTokenCache) error {
	t, err := tenant.FromEnv()
	if err != nil {
		return err
	}
	defer t.Close()
	client, err := public.New(t.ClientID, t.Options(public.WithCache(msal.Accessor(cache)))...)
	if err != nil {
		return err
	}
	accounts, err := client.Accounts(ctx)
	if err != nil {
		return err
	}
	if len(accounts) > 0 {
		result, err := client.AcquireTokenSilent(ctx, t.Scopes, public.WithSilentAccount(accounts[0]))
		if err == nil {
			fmt.Printf("token of %s, from the cache\n", result.Account.PreferredUsername)
			return nil
		}
	}
	code, err := client.AcquireTokenByDeviceCode(ctx, t.Scopes)
	if err != nil {
		return err
	}
	t.Show(code.Result.Message)
	result, err := code.AuthenticationResult(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("token of %s, from the identity provider\n", result.Account.PreferredUsername)
	return nil
}
