package msal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// A command-line program: whoever is signed in stays so, and others sign in by
// a browser.
func ExampleNewPublic() {
	fake := msaltest.New(nil)
	defer fake.Close()

	client, err := msal.NewPublic("client-id", &msal.Options{
		// Cache: extensions.NewPersistedTokenCache(p, nil),
		Authority: fake.Authority(), HTTPClient: fake.Client(), DisableInstanceDiscovery: true, // for the fake alone
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token := func() (msal.Result, error) {
		scopes := []string{"User.Read"}
		o := &msal.SilentOptions{}
		if accounts, err := client.Accounts(context.Background()); err == nil && len(accounts) > 0 {
			o.Account = &accounts[0]
		}
		return client.Acquire(context.Background(), scopes, o, func(ctx context.Context, claims string) (msal.Result, error) {
			return client.Interactive(ctx, scopes, &msal.InteractiveOptions{Claims: claims, OpenURL: browserOf(fake)})
		})
	}
	for range 2 {
		result, err := token()
		fmt.Println(result.Account.PreferredUsername, result.FromCache(), err)
	}
	// Output:
	// alice@contoso.example false <nil>
	// alice@contoso.example true <nil>
}

// browserOf is a browser that signs alice in.
func browserOf(fake *msaltest.Server) func(string) error {
	return func(authURI string) error {
		answer, err := fake.Authorize(authURI, "alice@contoso.example")
		if err != nil {
			return err
		}
		u, err := url.Parse(authURI)
		if err != nil {
			return err
		}
		resp, err := http.PostForm(u.Query().Get("redirect_uri"), answer)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
}

// A service that calls an API as itself.
func ExampleConfidential_ForClient() {
	fake := msaltest.New(nil)
	defer fake.Close()

	secret, err := msal.Secret("client-secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := msal.NewConfidential("client-id", secret, &msal.Options{
		Authority: fake.Authority(), HTTPClient: fake.Client(), DisableInstanceDiscovery: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		result, err := client.ForClient(context.Background(), []string{"https://graph.microsoft.com/.default"}, nil)
		fmt.Println(result.TokenType, result.FromCache(), err)
	}
	// Output:
	// Bearer false <nil>
	// Bearer true <nil>
}

// What to do where a silent call brings no token.
func ExamplePublic_Silent() {
	fake := msaltest.New(nil)
	defer fake.Close()
	client, err := msal.NewPublic("client-id", &msal.Options{Authority: fake.Authority(), HTTPClient: fake.Client(), DisableInstanceDiscovery: true})
	if err != nil {
		fmt.Println(err)
		return
	}

	_, err = client.Silent(context.Background(), []string{"User.Read"}, &msal.SilentOptions{Account: &public.Account{HomeAccountID: "x.y"}})
	switch {
	case err == nil:
		fmt.Println("a token")
	case errors.Is(err, msal.ErrNoToken):
		fmt.Println("nobody is signed in")
	case errors.Is(err, msal.ErrInteractionRequired):
		fmt.Println("the provider wants to see the person")
	default:
		fmt.Println("it won't work with another sign-in either:", err)
	}
	// Output: nobody is signed in
}

// Everybody who is signed in, one after the other, and then nobody.
func ExamplePublic_Accounts() {
	fake := msaltest.New(nil)
	defer fake.Close()
	client, err := msal.NewPublic("client-id", &msal.Options{Authority: fake.Authority(), HTTPClient: fake.Client(), DisableInstanceDiscovery: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, scopes := context.Background(), []string{"User.Read"}
	if _, err := client.Interactive(ctx, scopes, &msal.InteractiveOptions{OpenURL: browserOf(fake)}); err != nil {
		fmt.Println(err)
		return
	}

	named, err := client.AccountsNamed(ctx, "Alice@Contoso.Example")
	fmt.Println(len(named), err)
	accounts, err := client.Accounts(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, account := range accounts {
		result, err := client.Silent(ctx, scopes, &msal.SilentOptions{Account: &account})
		fmt.Println(account.PreferredUsername, result.Claims()["name"], err)
		fmt.Println(client.Remove(ctx, account))
	}
	accounts, err = client.Accounts(ctx)
	fmt.Println(len(accounts), err)
	// Output:
	// 1 <nil>
	// alice@contoso.example alice <nil>
	// <nil>
	// 0 <nil>
}

// A sign-in at another device, for programs without a browser.
func ExamplePublic_BeginDevice() {
	fake := msaltest.New(nil)
	defer fake.Close()
	client, err := msal.NewPublic("client-id", &msal.Options{Authority: fake.Authority(), HTTPClient: fake.Client(), DisableInstanceDiscovery: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	flow, err := client.BeginDevice(ctx, []string{"User.Read"}, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	// The program shows flow.Message, and the person does what it says.
	if err := fake.Approve(flow.UserCode, "alice@contoso.example"); err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.CompleteDevice(ctx, flow, nil)
	fmt.Println(result.Account.PreferredUsername, err)
	// Output: alice@contoso.example <nil>
}

// A web application's sign-in.
func ExampleConfidential_BeginAuthCode() {
	fake := msaltest.New(nil)
	defer fake.Close()
	secret, err := msal.Secret("client-secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := msal.NewConfidential("client-id", secret, &msal.Options{
		Authority: fake.Authority(), HTTPClient: fake.Client(), DisableInstanceDiscovery: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	flow, err := client.BeginAuthCode(ctx, msal.AuthCodeOptions{RedirectURI: "https://app.example/authorized", Scopes: []string{"User.Read"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	// The application keeps the flow in the session, and sends the browser to
	// flow.AuthURI. It comes back with an answer, as in r.Form.
	answer, err := fake.Authorize(flow.AuthURI, "alice@contoso.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.CompleteAuthCode(ctx, flow, answer, nil)
	fmt.Println(result.Claims()["preferred_username"], err)
	// Output: alice@contoso.example <nil>
}

// A service that is told by its environment who it is.
func ExampleConfidentialFromEnv() {
	for name, value := range map[string]string{msal.EnvClientID: "client-id", msal.EnvClientSecret: "client-secret"} {
		if err := os.Setenv(name, value); err != nil { // what deploys it does that
			fmt.Println(err)
			return
		}
		defer os.Unsetenv(name)
	}
	client, err := msal.ConfidentialFromEnv(nil)
	fmt.Println(client, err)
	// Output: client of the application "client-id" <nil>
}
