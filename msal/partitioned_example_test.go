package msal_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/plugins/file"
)

// A web app keeps the tokens of each session in an item of its own.
func ExamplePartitioned() {
	entra := msaltest.New(nil)
	defer entra.Close()
	dir, err := os.MkdirTemp("", "webapp")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	p, err := openFile(filepath.Join(dir, "tokens"))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		log.Fatal(err)
	}
	http := msal.SharedDiscovery(entra.Client())
	clients := msal.Partitioned(p, nil, func(c cache.ExportReplace) (confidential.Client, error) {
		return confidential.New(entra.Authority(), "web", credential, confidential.WithCache(c), confidential.WithHTTPClient(http),
			confidential.WithInstanceDiscovery(false)) // the fake isn't known to Microsoft
	}, &msal.PartitionOptions{Caches: 10_000})
	defer clients.Close(context.Background())

	for session, who := range map[string]string{"session/laptop": "alice@contoso.example", "session/phone": "bob@contoso.example"} {
		ctx := msal.WithPartition(context.Background(), session) // what a handler does with r.Context()
		client, err := clients.Client(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if err := signInByCode(ctx, entra, client, who); err != nil {
			log.Fatal(err)
		}
	}
	if err := clients.Remove(context.Background(), "session/phone"); err != nil {
		log.Fatal(err)
	}
	for info, err := range p.Keys(context.Background(), "session/") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(info.Key)
	}
	// Output: session/laptop
}

// An API calls another one for the people who call it. It keeps what it gets for
// each of them in an item of its own, where all of its processes find it.
func ExamplePartitionedCaches() {
	entra := msaltest.New(nil)
	defer entra.Close()
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	p, err := openFile(filepath.Join(dir, "tokens"))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	secret, err := msal.Secret("client-secret")
	if err != nil {
		log.Fatal(err)
	}
	http := msal.SharedDiscovery(entra.Client())
	clients := msal.PartitionedCaches(p, nil, func(c *persist.PersistedTokenCache) (*msal.Confidential, error) {
		return msal.NewConfidential("client-id", secret, &msal.Options{Authority: entra.Authority(), Cache: c, HTTPClient: http,
			DisableInstanceDiscovery: true}) // the fake isn't known to Microsoft
	}, nil)
	defer clients.Close(context.Background())

	caller := exampleCaller(entra)                                    // from the header field Authorization, validated
	ctx := msal.WithPartition(context.Background(), "tenant-1/alice") // of its claims tid and oid
	for range 2 {
		api, err := clients.Client(ctx)
		if err != nil {
			log.Fatal(err)
		}
		result, err := api.OnBehalfOf(ctx, caller, []string{"User.Read"}, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Account.PreferredUsername, "from the cache:", result.FromCache())
	}
	// Output:
	// alice@contoso.example from the cache: false
	// alice@contoso.example from the cache: true
}

func openFile(path string) (*persist.Persistence, error) {
	c := backend.Config{Location: path, Path: path}
	store, err := file.Backend().Open(context.Background(), c)
	if err != nil {
		return nil, err
	}
	return persist.New("file", store, c, nil), nil
}

// signInByCode stands for the browser's way to Entra ID and back.
func signInByCode(ctx context.Context, entra *msaltest.Server, client confidential.Client, who string) error {
	const redirect = "https://app.example/authorized"
	url, err := client.AuthCodeURL(ctx, "web", redirect, []string{"User.Read"})
	if err != nil {
		return err
	}
	params, err := entra.Authorize(url, who)
	if err != nil {
		return err
	}
	_, err = client.AcquireTokenByAuthCode(ctx, params.Get("code"), redirect, []string{"User.Read"})
	return err
}
