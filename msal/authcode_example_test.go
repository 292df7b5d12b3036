package msal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// A web app keeps the flow in the person's session while the browser is away.
func ExampleBeginAuthCode() {
	entra := msaltest.New(nil)
	defer entra.Close()
	client, err := public.New("app", public.WithAuthority(entra.Authority()), public.WithHTTPClient(entra.Client()), public.WithInstanceDiscovery(false))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	flow, err := msal.BeginAuthCode(ctx, msal.PublicCode(client), msal.AuthCodeOptions{
		ClientID: "app", RedirectURI: "https://app.example/authorized", Scopes: []string{"User.Read"}, ResponseMode: "form_post",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := json.Marshal(flow)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The browser goes to flow.AuthURI, and comes back with a form.
	form, err := entra.Authorize(flow.AuthURI, "alice@contoso.example")
	if err != nil {
		fmt.Println(err)
		return
	}

	var later msal.AuthCodeFlow
	if err := json.Unmarshal(session, &later); err != nil {
		fmt.Println(err)
		return
	}
	_, err = later.Complete(ctx, msal.PublicCode(client), url.Values{"code": form["code"], "state": {"of a stranger"}}, nil)
	fmt.Println(errors.Is(err, msal.ErrState))
	result, err := later.Complete(ctx, msal.PublicCode(client), form, nil)
	fmt.Println(result.Account.PreferredUsername, err)
	// Output:
	// true
	// alice@contoso.example <nil>
}

// A program that was written for MSAL Python's older functions keeps the state
// itself.
func ExampleRedeemCode() {
	entra := msaltest.New(nil)
	defer entra.Close()
	inner, err := public.New("app", public.WithAuthority(entra.Authority()), public.WithHTTPClient(entra.Client()), public.WithInstanceDiscovery(false))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, client := context.Background(), msal.PublicCode(inner)
	uri, err := msal.AuthCodeURL(ctx, client, msal.AuthCodeOptions{
		ClientID: "app", RedirectURI: "https://app.example/authorized", Scopes: []string{"User.Read"}, State: "of this session",
	}, "a nonce")
	if err != nil {
		fmt.Println(err)
		return
	}
	form, err := entra.Authorize(uri, "alice@contoso.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	r := msal.CodeRequest{Code: form.Get("code"), RedirectURI: "https://app.example/authorized", Scopes: []string{"User.Read"}}
	result, err := msal.RedeemCode(ctx, client, r, "a nonce")
	fmt.Println(form.Get("state"), result.Account.PreferredUsername, err)
	// Output: of this session alice@contoso.example <nil>
}
