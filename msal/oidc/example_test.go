package oidc_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/oidc"
)

// A service that gets an ID token from elsewhere finds out whether it is
// genuine.
func ExampleVerifier_VerifyIDToken() {
	entra := msaltest.New(nil)
	defer entra.Close()
	verifier, err := oidc.New(oidc.Options{Authority: entra.Authority(), ClientID: "app", HTTPClient: entra.Client()})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = verifier.VerifyIDToken(context.Background(), "eyJhbGciOiJub25lIn0.e30.", nil)
	fmt.Println(errors.Is(err, msal.ErrIDTokenSignature))
	fmt.Println(err)
	// Output:
	// true
	// msalext: the ID token isn't signed by its issuer: the algorithm "none" isn't one of ["RS256"]
}

// The browser brings the ID token itself, which is verified before anything
// else happens.
func ExampleNew() {
	entra := msaltest.New(nil)
	defer entra.Close()
	verifier, err := oidc.New(oidc.Options{Authority: entra.Authority(), ClientID: "app", HTTPClient: entra.Client()})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := msal.NewPublic("app", &msal.Options{Authority: entra.Authority(), HTTPClient: entra.Client(), DisableInstanceDiscovery: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	flow, err := client.BeginAuthCode(ctx, msal.AuthCodeOptions{
		RedirectURI: "https://app.example/authorized", Scopes: []string{"User.Read"}, ResponseType: "code id_token", ResponseMode: "form_post",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	form, err := entra.Authorize(flow.AuthURI, "alice@contoso.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.CompleteAuthCodeVerified(ctx, flow, verifier, form, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Account.PreferredUsername)
	// Output: alice@contoso.example
}
