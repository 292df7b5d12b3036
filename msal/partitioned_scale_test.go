package msal_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// crowd is a store with a cache for each of many users. All are copies of one
// that MSAL wrote, each with a user and a token of its own.
type crowd struct {
	*world
	p        *persist.Persistence
	template string
	home     string // of the template's user
	token    string
}

func newCrowd(t *testing.T, users int) *crowd {
	t.Helper()
	w := newWorld(t, nil)
	a := w.app(nil, nil)
	r := a.signIn("template", alice)
	data, err := a.p.Key("template").Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	store, err := (&memory.Backend{}).Open(t.Context(), backend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{w, persist.New("memory", store, backend.Config{}, nil), string(data), msaltest.HomeAccountID(alice), r.AccessToken}
	for i := range users {
		if err := c.p.Key(c.key(i)).Save(t.Context(), []byte(c.cache(i))); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *crowd) key(i int) string { return fmt.Sprint("session/", i) }

// homeOf is as long as the template's.
func (c *crowd) homeOf(i int) string {
	user, tenant, _ := strings.Cut(c.home, ".")
	return fmt.Sprintf("%0*d.%s", len(user), i, tenant)
}

func (c *crowd) cache(i int) string {
	return strings.NewReplacer(c.home, c.homeOf(i), c.token, c.tokenOf(i)).Replace(c.template)
}

func (c *crowd) tokenOf(i int) string { return fmt.Sprint(c.token, "-", i) }

// visit has each user call once, two at a time.
func (c *crowd) visit(users int, opts *msal.PartitionOptions) *msal.Clients[confidential.Client] {
	c.Helper()
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		c.Fatal(err)
	}
	http := msal.SharedDiscovery(c.srv.Client())
	clients := msal.Partitioned(c.p, nil, func(cache msalcache.ExportReplace) (confidential.Client, error) {
		return confidential.New(c.srv.Authority(), "web", credential, confidential.WithHTTPClient(http),
			confidential.WithInstanceDiscovery(false), confidential.WithCache(cache))
	}, opts)
	var wg sync.WaitGroup
	for half := range 2 {
		wg.Go(func() {
			for i := half; i < users; i += 2 {
				if err := c.call(clients, i); err != nil {
					c.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return clients
}

func (c *crowd) call(clients *msal.Clients[confidential.Client], i int) error {
	ctx := c.Context()
	client, err := clients.Client(msal.WithPartition(ctx, c.key(i)))
	if err != nil {
		return err
	}
	account, err := client.Account(ctx, c.homeOf(i))
	if err != nil {
		return err
	}
	r, err := client.AcquireTokenSilent(ctx, scopes, confidential.WithSilentAccount(account))
	if err == nil && r.AccessToken != c.tokenOf(i) {
		err = fmt.Errorf("user %d got another token, of account %q", i, r.Account.HomeAccountID)
	}
	return err
}

// heap is what is in use once garbage is collected.
func heap() int64 {
	var m runtime.MemStats
	for range 3 { // what had a cleanup goes with a later collection
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemoryIsBounded serves many users from few clients in memory, and, to show
// that the bound is what does it, a part of them without one. With the build tag
// scale it has 100,000 users. It isn't parallel: it looks at the memory of all.
func TestMemoryIsBounded(t *testing.T) {
	const kept, perCache = 100, 32 << 10
	c := newCrowd(t, crowdSize)
	before, requests := heap(), c.srv.Count(msaltest.KindToken)
	bounded := c.visit(crowdSize, &msal.PartitionOptions{Caches: kept})
	grown := heap() - before
	t.Logf("%d caches of %d bytes on one store: %d in memory take %d KiB, %d each", crowdSize, len(c.cache(0)), kept, grown>>10, grown/kept)
	if grown > kept*perCache {
		t.Errorf("%d bytes, want at most %d for each of %d", grown, perCache, kept)
	}
	runtime.KeepAlive(bounded)

	const most = min(crowdSize, 4000)
	before = heap()
	all := c.visit(most, &msal.PartitionOptions{Caches: most})
	if unbounded := heap() - before; unbounded < 2*kept*perCache {
		t.Errorf("%d clients take %d bytes: the test proves nothing", most, unbounded)
	}
	runtime.KeepAlive(all)
	if n := c.srv.Count(msaltest.KindToken) - requests; n != 0 {
		t.Errorf("%d token requests", n)
	}
	listed := 0
	for _, err := range c.p.Keys(t.Context(), "session/") {
		if err != nil {
			t.Fatal(err)
		}
		listed++
	}
	if listed != crowdSize {
		t.Errorf("%d of %d keys are listed", listed, crowdSize)
	}
}
