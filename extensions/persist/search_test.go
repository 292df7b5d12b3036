package persist

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/plugins/file"
)

// answered is what a token endpoint says to a sign-in.
func answered(who string, lifetime int) tokencache.Event {
	info := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"uid":"%s","utid":"t"}`, who))
	claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"oid":"%[1]s","preferred_username":"%[1]s"}`, who))
	return tokencache.Event{
		ClientID: "c", Scopes: []string{"b", "a"}, TokenEndpoint: "https://env/t/token", GrantType: "password",
		Response: fmt.Appendf(nil, `{"access_token":"at-%[1]s","refresh_token":"rt-%[1]s","id_token":"e30.%[2]s.x","client_info":"%[3]s","expires_in":%[4]d}`,
			who, claims, info, lifetime),
	}
}

func found(t *testing.T, c *PersistedTokenCache, q tokencache.Query) string {
	t.Helper()
	entries, err := c.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var secrets []string
	for _, e := range entries {
		secrets = append(secrets, e.Secret())
	}
	return strings.Join(secrets, " ")
}

func TestAddIsFoundByOthers(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	a := NewPersistedTokenCache(first(onDisk(t, path)), nil)
	b := NewPersistedTokenCache(first(onDisk(t, path)), nil)
	ann := tokencache.Query{HomeAccountID: "ann.t", ClientID: "c", Scopes: []string{"a"}}
	if got := found(t, b, ann); got != "" {
		t.Errorf("before anything was stored: %q", got)
	}
	for _, who := range []string{"ann", "bob"} {
		if err := a.Add(t.Context(), answered(who, 3600)); err != nil {
			t.Fatal(err)
		}
	}
	if got := found(t, b, ann); got != "at-ann" {
		t.Errorf("found %q", got)
	}
	if got := found(t, b, tokencache.Query{Section: tokencache.RefreshTokens}); got != "rt-ann rt-bob" || signedIn(t, b) != "ann bob" {
		t.Errorf("found %q, signed in %q", got, signedIn(t, b))
	}
	if err := a.RemoveAccount(t.Context(), tokencache.Account{HomeAccountID: "ann.t"}, ""); err != nil {
		t.Fatal(err)
	}
	if got := found(t, b, ann); got != "" {
		t.Errorf("after the sign-out: %q", got)
	}
}

func TestSearchOfAnUnchangedCacheIsOneStat(t *testing.T) {
	t.Parallel()
	p, s := onDisk(t, tempPath(t))
	c := NewPersistedTokenCache(p, nil)
	d := &fakeDisk{now: time.Now(), tick: time.Nanosecond}
	c.clock = d.clock()
	d.write()
	save(t, p, string(cacheOf("ann")))
	q := tokencache.Query{Section: tokencache.RefreshTokens, HomeAccountID: "ann.t"}
	for range 2 {
		if got := found(t, c, q); got != "rt-ann" {
			t.Fatalf("found %q", got)
		}
		d.pass(time.Minute)
	}
	loads, _ := s.counts()
	state := c.parsed.of
	d.stats = 0
	if got := found(t, c, q); got != "rt-ann" || d.stats != 1 {
		t.Errorf("found %q with %d stats", got, d.stats)
	}
	if again, _ := s.counts(); again != loads || c.parsed.of != state {
		t.Error("an unchanged cache was loaded or parsed again")
	}
}

func TestSearchLeavesOutWhatHasExpired(t *testing.T) {
	t.Parallel()
	p, _ := inMemory(t)
	c := NewPersistedTokenCache(p, nil)
	old := answered("ann", 3600)
	old.Now = time.Now().Add(-2 * time.Hour)
	for _, e := range []tokencache.Event{old, answered("bob", 3600)} {
		if err := c.Add(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if got := found(t, c, tokencache.Query{}); got != "at-bob" {
		t.Errorf("now: %q", got)
	}
	if got := found(t, c, tokencache.Query{Now: time.Unix(0, 0)}); got != "at-ann at-bob" {
		t.Errorf("at any time: %q", got)
	}
	if got := found(t, c, tokencache.Query{Now: time.Now().Add(2 * time.Hour)}); got != "" {
		t.Errorf("later: %q", got)
	}
}

func TestSearchFindsWhatWaitsToBeStored(t *testing.T) {
	t.Parallel()
	p, s := inMemory(t)
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {}})
	failing(s)
	if _, err := c.Merge(t.Context(), view(t, c), cacheOf("ann"), tokencache.OpAcquire); err == nil {
		t.Fatal("a full disk gave no error")
	}
	if got := found(t, c, tokencache.Query{Section: tokencache.RefreshTokens, ClientID: "c"}); got != "rt-ann" {
		t.Errorf("found %q", got)
	}
}

func TestAddAndSearchFail(t *testing.T) {
	t.Parallel()
	p, s := inMemory(t)
	c := NewPersistedTokenCache(p, nil)
	bad := answered("ann", 3600)
	bad.Response = []byte(`{"error":"secret"}`)
	if err := c.Add(t.Context(), bad); !errors.Is(err, tokencache.ErrInvalid) || strings.Contains(err.Error(), "secret") {
		t.Errorf("an error answer gave %v", err)
	}
	save(t, p, "not a cache")
	if _, err := c.Search(t.Context(), tokencache.Query{}); !errors.Is(err, backend.ErrCorrupt) {
		t.Errorf("Search gave %v", err)
	}
	if err := c.Add(t.Context(), answered("ann", 3600)); !errors.Is(err, backend.ErrCorrupt) || load(t, p) != "not a cache" {
		t.Errorf("Add gave %v, stored %q", err, load(t, p))
	}
	s.onLoad = nil
	save(t, p, "{}")
	failing(s)
	if err := c.Add(t.Context(), answered("ann", 3600)); !errors.Is(err, backend.ErrUnavailable) || found(t, c, tokencache.Query{}) != "" {
		t.Errorf("a full disk gave %v", err)
	}
}

func TestSearchWhileOthersWrite(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c := NewPersistedTokenCache(first(onDisk(t, path)), nil)
	other := NewPersistedTokenCache(first(onDisk(t, path)), nil)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 5 {
				writer := []*PersistedTokenCache{c, other}[i%2]
				if err := writer.Add(t.Context(), answered(fmt.Sprintf("p%d-%d", i, n), 3600)); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 50 {
				if _, err := c.Search(t.Context(), tokencache.Query{HomeAccountID: "p0-0.t"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if entries, err := c.Search(t.Context(), tokencache.Query{ClientID: "c", Scopes: []string{"a", "b"}}); err != nil || len(entries) != 20 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := filled(b, n)
			q := tokencache.Query{Section: tokencache.RefreshTokens, HomeAccountID: "p7.t", Environment: "env", ClientID: "c"}
			if entries, err := c.Search(b.Context(), q); err != nil || len(entries) != 1 {
				b.Fatal(len(entries), err)
			}
			c.seen.loadedAt = time.Now().Add(time.Hour) // the file's clock has ticked since
			for b.Loop() {
				if _, err := c.Search(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("stat", func(b *testing.B) {
		path := b.TempDir()
		for b.Loop() {
			if _, err := os.Stat(path); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func filled(b *testing.B, n int) *PersistedTokenCache {
	b.Helper()
	var people []string
	for i := range n {
		people = append(people, fmt.Sprint("p", i))
	}
	path := b.TempDir() + "/cache"
	config := backend.Config{Location: path, Path: path}
	store, err := file.Backend().Open(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	p := New("file", store, config, nil)
	b.Cleanup(func() { _ = p.Close() })
	if err := p.Save(b.Context(), cacheOf(people...)); err != nil {
		b.Fatal(err)
	}
	return NewPersistedTokenCache(p, nil)
}
