package msal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

func TestSignInOnceThenSilentInAnotherProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &msaltest.Options{Approver: alice, Pending: 1, SlowDown: 1})
	code, err := w.client().AcquireTokenByDeviceCode(t.Context(), scopes)
	if err != nil {
		t.Fatal(err)
	}
	first, err := code.AuthenticationResult(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := w.srv.Count(msaltest.KindToken)
	other := w.client()
	second, err := other.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(w.account(other, alice)))
	if err != nil || second.AccessToken != first.AccessToken || second.Metadata.TokenSource != public.TokenSourceCache {
		t.Errorf("got %v from %v", err, second.Metadata.TokenSource)
	}
	if n := w.srv.Count(msaltest.KindToken) - before; n != 0 {
		t.Errorf("%d token requests", n)
	}
}

func TestNoSignInIsLostBetweenClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			client := w.client()
			for j := range 5 {
				who := fmt.Sprintf("p%d-%d@contoso.example", i, j)
				if _, err := byPassword(t.Context(), client, who); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(strings.Fields(w.people())); n != 40 {
		t.Errorf("%d of 40 accounts kept", n)
	}
}

func TestOneAccessorForManyClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c, _ := w.cache(nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			client := w.clientOf(c)
			who := fmt.Sprintf("p%d@contoso.example", i)
			if _, err := byPassword(t.Context(), client, who); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(strings.Fields(w.people())); n != 8 {
		t.Errorf("%d of 8 accounts kept", n)
	}
}

var errFull = &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("no space left")}

func TestTokenOutlivesAStoreThatFails(t *testing.T) {
	t.Parallel()
	locked := &backend.Error{Kind: backend.ErrLocked}
	for _, c := range []struct {
		name       string
		load, save error
	}{{"can't be written", nil, errFull}, {"can't be read", locked, locked}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			var mu sync.Mutex
			told := 0
			cache, s := w.cache(&persist.CacheOptions{OnError: func(error) { mu.Lock(); defer mu.Unlock(); told++ }})
			client := w.clientOf(cache)
			s.fail(c.load, c.save)
			r := w.signIn(client, alice)
			if r.AccessToken == "" || told == 0 {
				t.Errorf("token %q, OnError told %d times", r.AccessToken, told)
			}
			silent, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(r.Account))
			if err != nil || silent.AccessToken != r.AccessToken {
				t.Errorf("silent while the store fails: %v", err)
			}
			if err := cache.Close(t.Context()); err == nil {
				t.Error("Close said nothing of the token that isn't stored")
			}
			s.fail(nil, nil)
			if err := cache.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if got := w.people(); got != alice {
				t.Errorf("stored: %q", got)
			}
		})
	}
}

func TestReadsFailWithTheStoresError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	account := w.signIn(w.client(), alice).Account
	cache, s := w.cache(nil)
	client := w.clientOf(cache)
	s.fail(&backend.Error{Kind: backend.ErrLocked}, nil)
	if _, err := client.Accounts(t.Context()); !errors.Is(err, backend.ErrLocked) {
		t.Errorf("Accounts gave %v", err)
	}
	if _, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(account)); !errors.Is(err, backend.ErrLocked) {
		t.Errorf("AcquireTokenSilent gave %v", err)
	}
	if err := client.RemoveAccount(t.Context(), account); !errors.Is(err, backend.ErrLocked) {
		t.Errorf("RemoveAccount gave %v", err)
	}
}

func TestSignOutThatCantBeStoredIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cache, s := w.cache(&persist.CacheOptions{OnError: func(error) {}})
	client := w.clientOf(cache)
	account := w.signIn(client, alice).Account
	s.fail(nil, errFull)
	if err := client.RemoveAccount(t.Context(), account); !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	s.fail(nil, nil)
	if err := cache.Close(t.Context()); err != nil || w.people() != "" {
		t.Errorf("after Close: %v, %q", err, w.people())
	}
}

// announcer cancels a context when MSAL begins to write.
type announcer struct {
	msalcache.ExportReplace
	cancel context.CancelFunc
}

func (a announcer) Export(ctx context.Context, m msalcache.Marshaler, h msalcache.ExportHints) error {
	a.cancel()
	return a.ExportReplace.Export(ctx, m, h)
}

func TestSignOutWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	account := w.signIn(w.client(), alice).Account
	cache, _ := w.cache(&persist.CacheOptions{OnError: func(error) {}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := w.clientWith(announcer{msal.Accessor(cache), cancel})
	busy, _ := w.cache(nil)
	if err := busy.Modify(t.Context(), func(*tokencache.TokenCache) error {
		done := make(chan error, 1)
		go func() { done <- client.RemoveAccount(ctx, account) }()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("it waits although its caller has gone")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSignOutDuringARefreshStaysSignedOut(t *testing.T) {
	t.Parallel()
	// Access tokens that live so shortly aren't cached: every silent call is a refresh.
	w := newWorld(t, &msaltest.Options{ExpiresIn: time.Minute, Latency: 50 * time.Millisecond})
	refresher, remover := w.client(), w.client()
	w.signIn(refresher, bob)
	for range 5 {
		account := w.signIn(refresher, alice).Account
		before := w.srv.Count(msaltest.KindTokenRefresh)
		done := make(chan error, 1)
		go func() {
			_, err := refresher.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(account))
			done <- err
		}()
		if err := w.srv.Await(t.Context(), msaltest.KindTokenRefresh, before+1); err != nil {
			t.Fatal(err)
		}
		if err := remover.RemoveAccount(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("the refresh that was under way: %v", err)
		}
		if got := w.people(); got != bob {
			t.Fatalf("signed in: %q", got)
		}
	}
}

// canceler ends the caller's context with the answer that brings the token.
type canceler struct {
	http.RoundTripper
	cancel context.CancelFunc
}

func (c canceler) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/token") {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	c.cancel()
	return resp, nil
}

func TestTokenIsStoredThoughTheCallersContextEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cache, _ := w.cache(nil)
	client, err := public.New("client", public.WithAuthority(w.srv.Authority()), public.WithInstanceDiscovery(false),
		public.WithHTTPClient(&http.Client{Transport: canceler{w.srv.Client().Transport, cancel}}), public.WithCache(msal.Accessor(cache)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := byPassword(ctx, client, alice)
	if err != nil || r.AccessToken == "" || ctx.Err() == nil {
		t.Fatalf("got %v", err)
	}
	if got := w.people(); got != alice {
		t.Errorf("stored: %q", got)
	}
}

func TestConfidentialClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ctx := t.Context()
	client := w.confidential()
	if _, err := client.AcquireTokenByCredential(ctx, []string{"https://graph.microsoft.com/.default"}); err != nil {
		t.Fatal(err)
	}
	r, err := w.confidential().AcquireTokenByCredential(ctx, []string{"https://graph.microsoft.com/.default"})
	if err != nil || r.Metadata.TokenSource != confidential.TokenSourceCache {
		t.Errorf("the application's token in another process: %v from %v", err, r.Metadata.TokenSource)
	}
	for range 2 { // again after a sign-out: a sign-in by code must not look like a refresh
		user := w.byCode(client)
		other := w.confidential()
		if _, err := other.AcquireTokenSilent(ctx, scopes, confidential.WithSilentAccount(user.Account)); err != nil {
			t.Errorf("silent in another process: %v", err)
		}
		if err := other.RemoveAccount(ctx, user.Account); err != nil {
			t.Fatal(err)
		}
		if got := w.people(); got != "" {
			t.Errorf("after the sign-out: %q", got)
		}
	}
}
