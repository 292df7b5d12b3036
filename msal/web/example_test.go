package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
)

// exampleConfig is for a fake Entra ID. A real application has a store that
// encrypts in place of AllowPlaintext, its own address, and a Logger.
func exampleConfig(entra *msaltest.Server, address string) web.Config {
	store, err := new(memory.Backend).Open(context.Background(), backend.Config{})
	if err != nil {
		log.Fatal(err)
	}
	credential, err := msal.Secret("secret")
	if err != nil {
		log.Fatal(err)
	}
	return web.Config{
		ClientID: "shop", Authority: entra.Authority(), Credential: credential, BaseURL: address,
		Tokens: persist.New("memory", store, backend.Config{}, nil), AllowPlaintext: true, Logger: slog.New(slog.DiscardHandler),
		HTTPClient: entra.Client(), GraphURL: entra.GraphURL(), DisableInstanceDiscovery: true,
	}
}

// A web application in which people sign in, and which asks Microsoft Graph who
// they are.
func Example() {
	entra := msaltest.New(nil)
	defer entra.Close()
	entra.AddUser(msaltest.User{Username: "alice@contoso.example", Name: "Alice Adams", JobTitle: "Engineer"})
	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(nil)
	app, err := web.New(exampleConfig(entra, "https://"+server.Listener.Addr().String()))
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close(context.Background())
	mux.Handle("/user/", app.Handler())
	mux.Handle("/me", app.Require(web.SignedIn)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		me, err := app.Session(r).Graph().Me(r.Context())
		if err != nil {
			app.Deny(w, r, err)
			return
		}
		fmt.Fprintf(w, "%s, %s", me.Name, me.JobTitle)
	})))
	server.Config.Handler = app.Wrap(mux)
	server.StartTLS()
	defer server.Close()

	fmt.Println(visit(entra, server, "/me", "alice@contoso.example"))
	// Output:
	// GET /me: 303 See Other to /user/login?to=%2Fme
	// after the sign-in at /me: Alice Adams, Engineer
}

// visit stands for a browser, and a person who signs in.
func visit(entra *msaltest.Server, server *httptest.Server, path, who string) string {
	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	browser := server.Client()
	browser.Jar = jar
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	get := func(path string) (*http.Response, string) {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		resp, err := browser.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			log.Fatal(err)
		}
		return resp, string(body)
	}
	refused, _ := get(path)
	fmt.Printf("GET %s: %s to %s\n", path, refused.Status, refused.Header.Get("Location"))
	begun, _ := get(refused.Header.Get("Location"))
	back, err := entra.Follow(context.Background(), browser, begun.Header.Get("Location"), who)
	if err != nil {
		log.Fatal(err)
	}
	defer back.Body.Close()
	_, body := get(back.Header.Get("Location"))
	return "after the sign-in at " + back.Header.Get("Location") + ": " + body
}

// Programs are told what to do, and people are led there.
func ExampleApp_Require() {
	entra := msaltest.New(nil)
	defer entra.Close()
	app, err := web.New(exampleConfig(entra, "https://shop.example"))
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close(context.Background())
	admin := app.Wrap(app.Require(web.SignedIn, web.Any(web.Role("Admin"), web.EmailDomain("contoso.example")))(http.NotFoundHandler()))
	for _, accept := range []string{"text/html", "application/json"} {
		r := httptest.NewRequest(http.MethodGet, "/admin", nil)
		r.Header.Set("Accept", accept)
		answer := httptest.NewRecorder()
		admin.ServeHTTP(answer, r)
		fmt.Println(answer.Code, answer.Header().Get("Location")+answer.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// 303 /user/login?to=%2Fadmin
	// 401 Bearer realm="", authorization_uri="https://shop.example/user/login"
}

// A store that doesn't encrypt has to be asked for.
func ExampleNew() {
	entra := msaltest.New(nil)
	defer entra.Close()
	cfg := exampleConfig(entra, "https://shop.example")
	cfg.AllowPlaintext = false
	_, err := web.New(cfg)
	fmt.Println(errors.Is(err, web.ErrConfig))
	// Output: true
}
