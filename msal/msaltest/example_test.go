package msaltest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

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

// A web application's own sign-in is tested without a browser: Follow signs
// the person in and brings the answer to the redirect URI.
func ExampleServer_Follow() {
	srv := msaltest.New(nil)
	defer srv.Close()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.FormValue("state"), r.PostForm.Has("code"))
	}))
	defer app.Close()
	authURL := srv.Authority() + "/oauth2/v2.0/authorize?client_id=web&scope=openid&response_type=code" +
		"&response_mode=form_post&state=xyz&redirect_uri=" + url.QueryEscape(app.URL+"/authorized")
	resp, err := srv.Follow(context.Background(), app.Client(), authURL, "bob@contoso.example")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, resp.Body.Close())
	// Output:
	// POST xyz true
	// 200 <nil>
}

// What an application does with a wrong secret.
func ExampleServer_AddApp() {
	srv := msaltest.New(nil)
	defer srv.Close()
	srv.AddApp(msaltest.App{ClientID: "web", Secrets: []string{"the right one"}})
	credential, err := confidential.NewCredFromSecret("the wrong one")
	if err != nil {
		log.Fatal(err)
	}
	client, err := confidential.New(srv.Authority(), "web", credential,
		confidential.WithHTTPClient(srv.Client()), confidential.WithInstanceDiscovery(false))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.AcquireTokenByCredential(context.Background(), []string{"https://graph.microsoft.com/.default"})
	fmt.Println(strings.Contains(err.Error(), "AADSTS7000215"))
	// Output: true
}

// A token that expired a minute ago, from an issuer that the application
// trusts, is refused by Microsoft Graph.
func ExampleServer_Sign() {
	srv := msaltest.New(nil)
	defer srv.Close()
	token, err := srv.Sign(map[string]any{
		"aud": "https://graph.microsoft.com", "upn": "bob@contoso.example", "exp": time.Now().Add(-time.Minute).Unix(),
	})
	if err != nil {
		log.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, srv.GraphURL()+"/me", nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := srv.Client().Do(req)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, resp.Body.Close())
	// Output: 401 <nil>
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
