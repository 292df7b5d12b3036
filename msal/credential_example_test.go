package msal_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/managedidentity"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// fakeOptions lead a client to the fake, which Microsoft doesn't know.
func fakeOptions(fake *msaltest.Server) *msal.Options {
	return &msal.Options{Authority: fake.Authority(), HTTPClient: fake.Client(), DisableInstanceDiscovery: true}
}

// A service whose certificate somebody renews while it runs.
func ExampleCertificateFile() {
	fake := msaltest.New(nil)
	defer fake.Close()
	dir, err := os.MkdirTemp("", "certificate")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "app.pem")
	if err := os.WriteFile(file, exampleCertificate(), 0o600); err != nil {
		log.Fatal(err)
	}

	credential, err := msal.CertificateFile(file, &msal.CertificateOptions{
		SendX5C: true, // so that the next certificate needs no registration
		OnError: func(err error) { log.Print("the new certificate can't be used: ", err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := msal.NewConfidential("client-id", credential, fakeOptions(fake))
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.ForClient(context.Background(), []string{"https://graph.microsoft.com/.default"}, nil)
	fmt.Println(credential, result.TokenType, err)
	// Output: msal.Credential(certificate) Bearer <nil>
}

// What is wrong with a certificate shows at once.
func ExampleCertificatePEM() {
	_, err := msal.CertificatePEM(exampleCertificate(), &msal.CertificateOptions{Thumbprint: "0123456789abcdef0123456789abcdef01234567"})
	switch {
	case errors.Is(err, msal.ErrThumbprint):
		fmt.Println("the certificate isn't the one that Entra ID shows")
	case errors.Is(err, msal.ErrPassphrase):
		fmt.Println("ask for the passphrase again")
	case errors.Is(err, msal.ErrCredential):
		fmt.Println("something else is wrong:", err)
	}
	// Output: the certificate isn't the one that Entra ID shows
}

// An application that Entra ID trusts for the managed identity of the machine
// that it runs on (a federated identity credential), and that has no secret at
// all.
func ExampleAssertionFunc() {
	fake := msaltest.New(nil)
	defer fake.Close()

	machine, err := managedidentity.New(managedidentity.SystemAssigned(), managedidentity.WithHTTPClient(fake.CloudClient()))
	if err != nil {
		log.Fatal(err)
	}
	credential, err := msal.AssertionFunc(func(ctx context.Context, _ msal.AssertionOptions) (string, error) {
		result, err := machine.AcquireToken(ctx, "api://AzureADTokenExchange") // from memory, if it is there
		return result.AccessToken, err
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := msal.NewConfidential("client-id", credential, fakeOptions(fake))
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.ForClient(context.Background(), []string{"https://graph.microsoft.com/.default"}, nil)
	fmt.Println(result.TokenType, err)
	// Output: Bearer <nil>
}

// An application that runs in Kubernetes, where a file has its assertion, and a
// newer one every hour.
func ExampleAssertionFunc_workloadIdentity() {
	fake := msaltest.New(nil)
	defer fake.Close()
	file, err := os.CreateTemp("", "token") // in a pod: os.Getenv("AZURE_FEDERATED_TOKEN_FILE")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString("made.by.kubernetes"); err != nil {
		log.Fatal(err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}

	credential, err := msal.AssertionFunc(func(context.Context, msal.AssertionOptions) (string, error) {
		assertion, err := os.ReadFile(file.Name())
		return string(assertion), err
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := msal.NewConfidential("client-id", credential, fakeOptions(fake))
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.ForClient(context.Background(), []string{"https://graph.microsoft.com/.default"}, nil)
	fmt.Println(result.TokenType, err)
	// Output: Bearer <nil>
}

// A managed identity alone: its tokens come from the machine, and stay in memory.
func Example_managedIdentity() {
	fake := msaltest.New(nil)
	defer fake.Close()

	client, err := managedidentity.New(managedidentity.UserAssignedClientID("the-identity"), managedidentity.WithHTTPClient(fake.CloudClient()))
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		result, err := client.AcquireToken(context.Background(), "https://vault.azure.net")
		fmt.Println(result.Metadata.TokenSource == managedidentity.TokenSourceCache, err)
	}
	fmt.Println(fake.Count(msaltest.KindManaged), "request")
	// Output:
	// false <nil>
	// true <nil>
	// 1 request
}

// An API that calls another one for whoever called it. Its next call for the
// same person, by whichever of its processes, finds the token in the cache.
func ExampleConfidential_OnBehalfOf() {
	fake := msaltest.New(nil)
	defer fake.Close()
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	caller := exampleCaller(fake) // from the header field Authorization, validated

	for range 2 { // two processes
		p, err := openFile(filepath.Join(dir, "tokens"))
		if err != nil {
			log.Fatal(err)
		}
		defer p.Close()
		secret, err := msal.Secret("client-secret")
		if err != nil {
			log.Fatal(err)
		}
		o := fakeOptions(fake)
		o.Cache = persist.NewPersistedTokenCache(p, nil)
		api, err := msal.NewConfidential("client-id", secret, o)
		if err != nil {
			log.Fatal(err)
		}

		result, err := api.OnBehalfOf(context.Background(), caller, []string{"User.Read"}, nil)
		if refusal, ok := errors.AsType[*msal.Error](err); ok && errors.Is(err, msal.ErrInteractionRequired) {
			fmt.Println("answer 401 and the claims", refusal.Claims)
			return
		}
		fmt.Println(result.Account.PreferredUsername, result.FromCache(), err)
	}
	// Output:
	// alice@contoso.example false <nil>
	// alice@contoso.example true <nil>
}

// exampleCaller is the token with which alice calls an API.
func exampleCaller(fake *msaltest.Server) string {
	client, err := msal.NewPublic("a-browser", fakeOptions(fake))
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.Password(context.Background(), []string{"api://orders/Read"}, "alice@contoso.example", msaltest.DefaultPassword, nil)
	if err != nil {
		log.Fatal(err)
	}
	return result.AccessToken
}

// A test account of a script, in a tenant that still allows passwords.
func ExamplePublic_Password() {
	fake := msaltest.New(nil)
	defer fake.Close()
	client, err := msal.NewPublic("client-id", fakeOptions(fake))
	if err != nil {
		log.Fatal(err)
	}

	for _, password := range []string{msaltest.DefaultPassword, "a guess"} {
		result, err := client.Password(context.Background(), []string{"User.Read"}, "alice@contoso.example", password, nil)
		switch {
		case err == nil:
			fmt.Println(result.Account.PreferredUsername)
		case errors.Is(err, msal.ErrInteractionRequired):
			fmt.Println("a password isn't enough")
		case errors.Is(err, msal.ErrInvalidGrant):
			fmt.Println("wrong password")
		}
	}
	// Output:
	// alice@contoso.example
	// wrong password
}

// A program takes over the refresh tokens that its earlier version kept.
func ExamplePublic_RefreshToken() {
	fake := msaltest.New(nil)
	defer fake.Close()
	earlier, err := msal.NewPublic("client-id", fakeOptions(fake))
	if err != nil {
		log.Fatal(err)
	}
	ctx, scopes := context.Background(), []string{"User.Read"}
	kept, err := earlier.Password(ctx, scopes, "alice@contoso.example", msaltest.DefaultPassword, nil)
	if err != nil {
		log.Fatal(err)
	}

	client, err := msal.NewPublic("client-id", fakeOptions(fake))
	if err != nil {
		log.Fatal(err)
	}
	brought, err := client.RefreshToken(ctx, kept.RefreshToken, scopes, nil)
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.Silent(ctx, scopes, &msal.SilentOptions{Account: &brought.Account})
	fmt.Println(result.Account.PreferredUsername, result.FromCache(), err)
	// Output: alice@contoso.example true <nil>
}

// After an administrator granted a permission, the cached token doesn't have it
// yet.
func ExampleConfidential_RemoveTokensForClient() {
	fake := msaltest.New(nil)
	defer fake.Close()
	secret, err := msal.Secret("client-secret")
	if err != nil {
		log.Fatal(err)
	}
	client, err := msal.NewConfidential("client-id", secret, fakeOptions(fake))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	for range 2 {
		result, err := client.ForClient(ctx, []string{"https://graph.microsoft.com/.default"}, nil)
		fmt.Println(result.FromCache(), err)
		if err := client.RemoveTokensForClient(ctx); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// false <nil>
	// false <nil>
}
