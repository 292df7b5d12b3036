package msal_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// ownApp is a process of an API whose clients are those of this package.
type ownApp struct {
	*world
	*msal.Clients[*msal.Confidential]
	shelf *shelf
}

func (w *world) ownApp(opts *msal.PartitionOptions) *ownApp {
	w.Helper()
	p, s := w.opened()
	return &ownApp{w, msal.PartitionedCaches(p, nil, func(c *persist.PersistedTokenCache) (*msal.Confidential, error) {
		return w.web(w.options(c)), nil
	}, opts), s}
}

func (a *ownApp) client(key string) *msal.Confidential {
	a.Helper()
	c, err := a.Client(msal.WithPartition(a.Context(), key))
	if err != nil {
		a.Fatal(err)
	}
	return c
}

// TestOwnClientsOnBehalfOf: each user's tokens are in an item of their own,
// where every process finds them.
func TestOwnClientsOnBehalfOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a, b := w.ownApp(nil), w.ownApp(nil)
	calls := map[string]string{}
	for _, who := range []string{alice, bob} {
		calls[who] = w.callOf(who)
		if r := w.behalfOf(a.client("api/"+who), calls[who], nil); whose(r.AccessToken) != who {
			t.Errorf("%s got a token of %s", who, whose(r.AccessToken))
		}
	}
	wantKeys(t, w, "api/alice@contoso.example api/bob@contoso.example")
	for _, of := range []*ownApp{a, b} {
		for who, call := range calls {
			if r := w.behalfOf(of.client("api/"+who), call, nil); !r.FromCache() || whose(r.AccessToken) != who {
				t.Errorf("%s: from the cache: %v, of %s", who, r.FromCache(), whose(r.AccessToken))
			}
		}
	}
	if n := w.srv.Count(msaltest.KindTokenBehalf); n != 2 {
		t.Errorf("%d requests", n)
	}
	if r := w.behalfOf(a.client("api/"+bob), calls[alice], nil); r.FromCache() {
		t.Error("another key's token was found")
	}
	if err := a.Remove(t.Context(), "api/"+alice); err != nil {
		t.Fatal(err)
	}
	for _, of := range []*ownApp{a, b} { // the second finds what the first got
		if r := w.behalfOf(of.client("api/"+alice), calls[alice], nil); r.FromCache() == (of == a) {
			t.Errorf("after Remove: from the cache: %v", r.FromCache())
		}
	}
}

// tokenWays get a token for a user who calls with a token, and find it again.
var tokenWays = map[string]func(ctx context.Context, c *msal.Confidential, call, who string) (string, error){
	"on behalf of people": func(ctx context.Context, c *msal.Confidential, call, _ string) (string, error) {
		r, err := c.OnBehalfOf(ctx, call, scopes, nil)
		return r.AccessToken, err
	},
	"of the application": func(ctx context.Context, c *msal.Confidential, _, _ string) (string, error) {
		r, err := c.ForClient(ctx, appScopes, nil)
		return r.AccessToken, err
	},
	"of the application, forced": func(ctx context.Context, c *msal.Confidential, _, _ string) (string, error) {
		r, err := c.Silent(ctx, appScopes, nil)
		if errors.Is(err, msal.ErrNoToken) {
			r, err = c.ForClient(ctx, appScopes, &msal.ForClientOptions{ForceRefresh: true})
		}
		return r.AccessToken, err
	},
	"of people": func(ctx context.Context, c *msal.Confidential, _, who string) (string, error) {
		people, err := c.AccountsNamed(ctx, who)
		if err != nil || len(people) == 0 {
			r, err := c.Password(ctx, scopes, who, msaltest.DefaultPassword, nil)
			return r.AccessToken, err
		}
		r, err := c.Silent(ctx, scopes, &msal.SilentOptions{Account: &people[0]})
		return r.AccessToken, err
	},
}

// TestOwnClientsInAFullStore: what the store would not take stays, whether MSAL
// stores it or this package does, until another user's token gets through.
func TestOwnClientsInAFullStore(t *testing.T) {
	t.Parallel()
	for name, get := range tokenWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			var o told
			a := w.ownApp(&msal.PartitionOptions{Caches: 1, OnError: o.tell})
			a.shelf.fail(nil, errFull)
			users := []string{alice, bob, "carol@contoso.example"}
			calls, first := map[string]string{}, map[string]string{}
			for _, who := range users {
				calls[who] = w.callOf(who)
				var err error
				if first[who], err = get(t.Context(), a.client(who), calls[who], who); err != nil || !errors.Is(o.of(who), backend.ErrUnavailable) {
					t.Errorf("%s: %v; OnError was told %v", who, err, o.of(who))
				}
			}
			runtime.GC()
			runtime.GC()
			requests := w.srv.Count(msaltest.KindToken)
			for _, who := range users {
				if again, err := get(t.Context(), a.client(who), calls[who], who); err != nil || again != first[who] {
					t.Errorf("%s's token is lost: %v", who, err)
				}
			}
			if n := w.srv.Count(msaltest.KindToken) - requests; n != 0 {
				t.Errorf("%d requests", n)
			}
			a.shelf.fail(nil, nil)
			late := w.callOf("dave@contoso.example")
			if _, err := get(t.Context(), a.client("late"), late, "dave@contoso.example"); err != nil {
				t.Error(err)
			}
			for deadline := time.Now().Add(20 * time.Second); len(w.keys()) < 4; runtime.Gosched() {
				if time.Now().After(deadline) {
					t.Fatalf("stored: %q", w.keys())
				}
			}
			if err := a.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOwnClientsAreLetGo, and counted by what is in them, also where MSAL never
// looked into the cache.
func TestOwnClientsAreLetGo(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*msal.PartitionOptions{"by number": {Caches: 2}, "by bytes": {Bytes: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			p, _ := w.opened()
			made, gone := 0, make(chan string, 8)
			clients := msal.PartitionedCaches(p, nil, func(c *persist.PersistedTokenCache) (*msal.Confidential, error) {
				made++
				client := w.web(w.options(c))
				runtime.AddCleanup(client, func(n string) { gone <- n }, fmt.Sprint("client ", made))
				return client, nil
			}, opts)
			call := w.callOf(alice)
			use := func(key string) *msal.Confidential {
				c, err := clients.Client(msal.WithPartition(t.Context(), key))
				if err != nil {
					t.Fatal(err)
				}
				w.behalfOf(c, call, nil)
				return c
			}
			held := use("held")
			for _, key := range []string{"a", "b", "c"} {
				use(key)
			}
			if use("held") != held || made != 4 {
				t.Errorf("a key has two clients; %d were made", made)
			}
			use("d")
			use("e")
			waitFor(t, gone, "client 2", "client 3")
			if use("a"); made != 7 {
				t.Errorf("%d clients were made", made)
			}
			runtime.KeepAlive(held)
		})
	}
}

// waitFor collects garbage until what is named is gone.
func waitFor(t *testing.T, gone <-chan string, names ...string) {
	t.Helper()
	missing := map[string]bool{}
	for _, name := range names {
		missing[name] = true
	}
	for deadline := time.Now().Add(20 * time.Second); len(missing) > 0; runtime.GC() {
		select {
		case name := <-gone:
			delete(missing, name)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("still in memory: %v", missing)
		}
	}
}

// TestOwnClientsOfOtherKinds: what newClient returns may wrap the client, and
// may be one of a program that people use.
func TestOwnClientsOfOtherKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	type known struct {
		client *msal.Public
		calls  int
	}
	p, _ := w.opened()
	clients := msal.PartitionedCaches(p, nil, func(c *persist.PersistedTokenCache) (*known, error) {
		return &known{client: w.public(w.options(c))}, nil
	}, nil)
	for i := range 3 {
		k, err := clients.Client(msal.WithPartition(t.Context(), "alice"))
		if err != nil || k.calls != i {
			t.Fatalf("call %d: %+v, %v", i, k, err)
		}
		k.calls++
		if i == 0 {
			w.byCodeFlow(k.client)
		}
		if got := accountNames(listed(t, k.client)); got != alice {
			t.Errorf("call %d lists %q", i, got)
		}
	}
	wantKeys(t, w, "alice")
}
