package extensions_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/plugins/file"
)

// The program of the README: the platform's key store, or an error that says
// why not.
func Example() {
	run := func(ctx context.Context, clientID string) error {
		location, err := extensions.DefaultLocation("my-app")
		if err != nil {
			return err
		}
		p, err := extensions.BuildPersistence(ctx, location, nil)
		if err != nil {
			return err
		}
		defer p.Close()
		fmt.Println(p.Backend(), p.IsEncrypted(), p.Protection())

		cache := extensions.NewPersistedTokenCache(p, nil)
		defer cache.Close(ctx)
		client, err := public.New(clientID, public.WithCache(msal.Accessor(cache)))
		if err != nil {
			return err
		}
		accounts, err := client.Accounts(ctx)
		fmt.Println(len(accounts), "people are signed in")
		return err
	}
	_ = run // it needs a key store and an application's id
}

// Where no candidate works, the error tells what each lacks.
func ExampleBuildPersistence() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	location := filepath.Join(dir, "token-cache")
	options := &extensions.Options{Candidates: []string{"vault"}, InProcess: []backend.Backend{file.Backend()}}

	_, err = extensions.BuildPersistence(context.Background(), location, options)
	var failed *extensions.SelectionError
	if errors.As(err, &failed) {
		for _, c := range failed.Candidates {
			fmt.Println(c.Backend, "was not found:", errors.Is(c.Reason, extensions.ErrPluginNotFound))
		}
	}
	options.FallbackToPlaintext = true // because this program says so
	p, err := extensions.BuildPersistence(context.Background(), location, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	fmt.Println("using", p.Backend(), "encrypted:", p.IsEncrypted())
	// Output:
	// vault was not found: true
	// using file encrypted: false
}
