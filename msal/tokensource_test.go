package msal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"golang.org/x/oauth2"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// issued is a client's answer.
func issued(token string, until time.Time) msal.Result {
	return msal.Result{AuthResult: public.AuthResult{AccessToken: token, ExpiresOn: until}, TokenType: "Bearer"}
}

// TestTokenSource is used by oauth2's own client, on a real API.
func TestTokenSource(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world, client silent, o *msal.SilentOptions) {
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, w.srv.Client())
		source := msal.TokenSource(ctx, client, scopes, o)
		api := oauth2.NewClient(ctx, source)
		for range 2 {
			resp, err := api.Get(w.srv.GraphURL() + "/me")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Error(resp.Status)
			}
		}
		token, err := source.Token()
		if err != nil {
			t.Fatal(err)
		}
		want := silently(t, client, o)
		if token.AccessToken != want.AccessToken || !token.Expiry.Equal(want.ExpiresOn) || token.Type() != "Bearer" || token.RefreshToken != "" {
			t.Errorf("until %s, of type %s; want until %s", token.Expiry, token.Type(), want.ExpiresOn)
		}
		if id, _ := token.Extra("id_token").(string); id != want.IDToken.RawToken || id == "" {
			t.Errorf("an ID token of %d bytes, want %d", len(id), len(want.IDToken.RawToken))
		}
	})
}

// TestTokenSourceForgets: oauth2's client keeps a token, the source doesn't.
func TestTokenSourceForgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client, o := w.signedInPublic(w.options(nil))
	source := msal.TokenSource(t.Context(), client, scopes, o)
	if _, err := source.Token(); err != nil {
		t.Fatal(err)
	}
	if err := client.Remove(t.Context(), *o.Account); err != nil {
		t.Fatal(err)
	}
	if token, err := source.Token(); !errors.Is(err, msal.ErrNoToken) || token != nil {
		t.Errorf("after a sign-out: %v", err)
	}
}

func TestTokenSourceRenews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		client := msal.SilentFunc(func(context.Context, []string, *msal.SilentOptions) (msal.Result, error) {
			calls++
			return issued(fmt.Sprint("token ", calls), time.Now().Add(time.Hour)), nil
		})
		source := oauth2.ReuseTokenSource(nil, msal.TokenSource(t.Context(), client, scopes, nil))
		for _, c := range []struct {
			after time.Duration
			want  string
		}{{0, "token 1"}, {50 * time.Minute, "token 1"}, {11 * time.Minute, "token 2"}} {
			time.Sleep(c.after) // of the bubble's clock
			if token, err := source.Token(); err != nil || token.AccessToken != c.want {
				t.Errorf("after %s: %v, %v", c.after, token, err)
			}
		}
	})
}

func TestTokenSourceSharesACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		release := make(chan struct{})
		client := msal.SilentFunc(func(context.Context, []string, *msal.SilentOptions) (msal.Result, error) {
			calls.Add(1)
			<-release
			return issued("token", time.Now().Add(time.Hour)), nil
		})
		source := msal.TokenSource(t.Context(), client, scopes, nil)
		tokens := make(chan *oauth2.Token, 20)
		for range cap(tokens) {
			go func() {
				token, err := source.Token()
				if err != nil {
					t.Error(err)
				}
				tokens <- token
			}()
		}
		synctest.Wait()
		close(release)
		seen := map[*oauth2.Token]bool{}
		for range cap(tokens) {
			token := <-tokens
			if token.AccessToken != "token" {
				t.Errorf("%q", token.AccessToken)
			}
			token.AccessToken = "changed by its owner"
			seen[token] = true
		}
		if calls.Load() != 1 || len(seen) != cap(tokens) {
			t.Errorf("%d calls, %d tokens for %d goroutines", calls.Load(), len(seen), cap(tokens))
		}
	})
}

func TestTokenSourceRefuses(t *testing.T) {
	t.Parallel()
	refused := &msal.Error{Code: "interaction_required", Claims: `{"x":1}`}
	client := msal.SilentFunc(func(context.Context, []string, *msal.SilentOptions) (msal.Result, error) {
		return msal.Result{}, refused
	})
	if token, err := msal.TokenSource(t.Context(), client, scopes, nil).Token(); token != nil || !errors.Is(err, msal.ErrInteractionRequired) {
		t.Errorf("%v, %v", token, err)
	}
	o := &msal.SilentOptions{Scheme: pop(t, nil)}
	if token, err := msal.TokenSource(t.Context(), client, scopes, o).Token(); token != nil || !errors.Is(err, msal.ErrPop) {
		t.Errorf("a proof for many requests: %v, %v", token, err)
	}
	var asked []string
	client = func(_ context.Context, _ []string, o *msal.SilentOptions) (msal.Result, error) {
		asked = append(asked, o.Claims)
		o.Claims = "changed"
		return issued("t", time.Now()), nil
	}
	o = &msal.SilentOptions{Claims: "own"}
	source := msal.TokenSource(t.Context(), client, scopes, o)
	for range 2 {
		if _, err := source.Token(); err != nil {
			t.Error(err)
		}
	}
	if o.Claims != "own" || !slices.Equal(asked, []string{"own", "own"}) {
		t.Errorf("asked for %q; the caller's options now have %q", asked, o.Claims)
	}
}

func TestOwnTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	own := []string{"https://graph.microsoft.com/.default"}
	client := msal.OwnTokens(w.web(w.options(nil)))
	for range 2 {
		if token, err := msal.TokenSource(t.Context(), client, own, nil).Token(); err != nil || token.AccessToken == "" || token.Extra("id_token") != nil {
			t.Errorf("%v, %v", token, err)
		}
	}
	if n := w.srv.Count(msaltest.KindTokenClient); n != 1 {
		t.Errorf("%d requests", n)
	}
	if _, err := client.Silent(t.Context(), own, &msal.SilentOptions{ForceRefresh: true}); err != nil || w.srv.Count(msaltest.KindTokenClient) != 2 {
		t.Errorf("%v, %d requests", err, w.srv.Count(msaltest.KindTokenClient))
	}
	if _, err := client.Silent(t.Context(), own, &msal.SilentOptions{Claims: `{"c":1}`}); err != nil || w.last(msaltest.KindTokenClient).Form.Get("claims") != `{"c":1}` {
		t.Errorf("%v, claims %q", err, w.last(msaltest.KindTokenClient).Form.Get("claims"))
	}
}

// A library that takes an oauth2.TokenSource uses the tokens of the cache.
func ExampleTokenSource() {
	entra := msaltest.New(nil)
	defer entra.Close()
	secret, err := msal.Secret("the application's")
	if err != nil {
		fmt.Println(err)
		return
	}
	app, err := msal.NewConfidential("app", secret, &msal.Options{Authority: entra.Authority(), HTTPClient: entra.Client(), DisableInstanceDiscovery: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	// For a person's: msal.TokenSource(ctx, app, scopes, &msal.SilentOptions{Account: &account})
	source := msal.TokenSource(context.Background(), msal.OwnTokens(app), []string{"https://graph.microsoft.com/.default"}, nil)
	token, err := source.Token()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.Type(), token.Valid())
	// Output: Bearer true
}
