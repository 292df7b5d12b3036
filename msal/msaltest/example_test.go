package msaltest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

// A public client signs in by device code, and gets its next token without
// any request.
func Example() {
	srv := msaltest.New(&msaltest.Options{Pending: 1, Approver: "alice@contoso.example"})
	defer srv.Close()
	client, err := public.New("client-id",
		public.WithAuthority(srv.Authority()),
		public.WithHTTPClient(srv.Client()),
		public.WithInstanceDiscovery(false))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	code, err := client.AcquireTokenByDeviceCode(ctx, []string{"User.Read"})
	if err != nil {
		log.Fatal(err)
	}
	result, err := code.AuthenticationResult(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Account.PreferredUsername, srv.Count(msaltest.KindToken))

	_, err = client.AcquireTokenSilent(ctx, []string{"User.Read"}, public.WithSilentAccount(result.Account))
	fmt.Println(err, srv.Count(msaltest.KindToken))
	// Output:
	// alice@contoso.example 2
	// <nil> 2
}

// A web application sends its user to the authorization URL and redeems the
// code that comes back.
func ExampleServer_Authorize() {
	srv := msaltest.New(nil)
	defer srv.Close()
	credential, err := confidential.NewCredFromSecret("any secret")
	if err != nil {
		log.Fatal(err)
	}
	client, err := confidential.New(srv.Authority(), "client-id", credential,
		confidential.WithHTTPClient(srv.Client()),
		confidential.WithInstanceDiscovery(false))
	if err != nil {
		log.Fatal(err)
	}
	ctx, scopes, redirectURI := context.Background(), []string{"User.Read"}, "https://app.example/authorized"
	authURL, err := client.AuthCodeURL(ctx, "client-id", redirectURI, scopes)
	if err != nil {
		log.Fatal(err)
	}
	params, err := srv.Authorize(authURL, "bob@contoso.example")
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.AcquireTokenByAuthCode(ctx, params.Get("code"), redirectURI, scopes)
	fmt.Println(result.Account.PreferredUsername, err)
	// Output: bob@contoso.example <nil>
}

// A second process, started with Server.Env in its environment, approves a
// code and reads the counts.
func ExampleConnect() {
	srv := msaltest.New(nil)
	defer srv.Close()
	fake, err := msaltest.Connect(srv.Authority(), srv.CertificatePEM())
	if err != nil {
		log.Fatal(err)
	}
	n, err := fake.Count(context.Background(), msaltest.KindToken)
	fmt.Println(n, err)
	// Output: 0 <nil>
}

// A name stands for the same account in every process.
func ExampleHomeAccountID() {
	fmt.Println(msaltest.HomeAccountID("alice@contoso.example") == msaltest.HomeAccountID("Alice@Contoso.example"))
	// Output: true
}
