package msal_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/msalext/msalext/msal"
)

func ExampleNewPop() {
	scheme, err := msal.NewPop(msal.PopOptions{HTTPMethod: "GET", URL: "https://api.example/orders", Nonce: "from the API's challenge"})
	if err != nil {
		fmt.Println(err)
		return
	}
	// client.Silent(ctx, scopes, &msal.SilentOptions{Account: &account, Scheme: scheme}), or of MSAL's own clients
	// AcquireTokenSilent(ctx, scopes, public.WithAuthenticationScheme(scheme)), call this:
	proof, err := scheme.FormatAccessToken("what the provider issued")
	if err != nil {
		fmt.Println(err)
		return
	}
	header, err := msal.DecodePart(strings.Split(proof, ".")[0])
	fmt.Println(strings.Contains(string(header), `"typ":"pop"`), err, scheme.AuthorizationHeader("proof"))
	// Output: true <nil> PoP proof
}

func ExamplePopNonce() {
	refused := http.Header{"Www-Authenticate": {`Bearer realm="", PoP realm="", nonce="of this minute"`}}
	nonce, err := msal.PopNonce(refused)
	fmt.Println(nonce, err)
	// Output: of this minute <nil>
}
