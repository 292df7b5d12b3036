package web_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

// Whatever needs a token gets one from the session, which renews it.
func ExampleSession() {
	entra := msaltest.New(nil)
	defer entra.Close()
	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(nil)
	cfg := exampleConfig(entra, "https://"+server.Listener.Addr().String())
	cfg.OnLogin = append(cfg.OnLogin, func(_ context.Context, s *web.Session) error {
		fmt.Println("signed in:", s.Email())
		return nil
	})
	app, err := web.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close(context.Background())
	mux.Handle("/user/", app.Handler())
	mux.Handle("/orders", app.Require(web.EmailDomain("contoso.example"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := app.Session(r)
		token, err := s.Token(r.Context(), "api://orders/Orders.Read")
		if err != nil {
			app.Deny(w, r, err)
			return
		}
		// Azure's and Microsoft's client libraries take a credential.
		again, err := s.Credential().GetToken(r.Context(), policy.TokenRequestOptions{Scopes: []string{"api://orders/Orders.Read"}})
		if err != nil {
			app.Deny(w, r, err)
			return
		}
		fmt.Fprint(w, again.Token == token.Value, time.Until(token.Expires) > 50*time.Minute)
	})))
	server.Config.Handler = app.Wrap(mux)
	server.StartTLS()
	defer server.Close()

	fmt.Println(visit(entra, server, "/orders", "alice@contoso.example"))
	for stored, err := range app.Each(context.Background()) {
		fmt.Println("a session of", stored.Record.Email, err)
	}
	// Output:
	// GET /orders: 303 See Other to /user/login?to=%2Forders
	// signed in: alice@contoso.example
	// after the sign-in at /orders: true true
	// a session of alice@contoso.example <nil>
}
