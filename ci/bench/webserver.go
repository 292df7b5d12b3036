package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/web"
	"github.com/msalext/msalext/msal/web/redisstore"
	"github.com/msalext/msalext/plugins/redis"
)

// webKey is the variable with the key that encrypts the tokens.
const webKey = "BENCH_WEB_KEY"

// webTokens opens the tokens of a web app on a Redis server, encrypted.
func webTokens(ctx context.Context, address, location string) (*extensions.Persistence, error) {
	return openRedis(ctx, address, location, &extensions.Options{InProcess: []backend.Backend{redis.Backend()}, Envelope: envelope.FromEnv(webKey)})
}

// webApp is a web app whose people sign in at the fake of another process.
func webApp(address, base string, tokens *extensions.Persistence, entra *msaltest.Remote) (*web.App, error) {
	secret, err := msal.Secret("secret")
	if err != nil {
		return nil, err
	}
	return web.New(web.Config{
		ClientID: clientID, Authority: entra.Authority(), Credential: secret, BaseURL: base, HTTPClient: entra.Client(), DisableInstanceDiscovery: true,
		Tokens: tokens, Store: redisstore.New(goredis.NewClient(&goredis.Options{Addr: address}), nil), SweepEvery: -1,
	})
}

// webChild serves three handlers that answer alike: /token to who is signed in,
// after it has looked up their token; /session to who is signed in; /open to
// everybody.
func webChild(args []string) error {
	ctx := context.Background()
	entra, err := msaltest.ConnectEnv()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	base := fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	tokens, err := webTokens(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	app, err := webApp(args[0], base, tokens, entra)
	if err != nil {
		return err
	}
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }
	signedIn := app.Require(web.SignedIn)
	mux := http.NewServeMux()
	mux.Handle("/user/", app.Handler())
	mux.HandleFunc("/open", answer)
	mux.Handle("/session", app.Wrap(signedIn(http.HandlerFunc(answer))))
	mux.Handle("/token", app.Wrap(signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := app.Session(r).Token(r.Context()); err != nil {
			app.Deny(w, r, err)
			return
		}
		answer(w, r)
	}))))
	fmt.Println(base)
	go func() { _ = http.Serve(l, mux) }() // it ends with the process
	_, err = io.Copy(io.Discard, os.Stdin) // until the parent has what it wants
	return errors.Join(err, app.Close(ctx), tokens.Close())
}
