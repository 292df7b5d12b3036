package persist

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/msalext/msalext/extensions/tokencache"
)

// refreshed is what MSAL for Go makes of a view when it refreshes a person's
// tokens for the nth time.
func refreshed(v View, who string, n int) []byte {
	all := map[string]map[string]map[string]string{}
	if err := json.Unmarshal(v.Readable(), &all); err != nil {
		panic(err)
	}
	if all["AccessToken"] == nil {
		all["AccessToken"] = map[string]map[string]string{}
	}
	all["AccessToken"][who+".t-env-accesstoken-c-t-s"] = map[string]string{"home_account_id": who + ".t", "environment": "env", "client_id": "c", "realm": "t",
		"target": "s", "secret": fmt.Sprintf("at-%s-%d", who, n), "cached_at": fmt.Sprint(1000 + n), "expires_on": fmt.Sprint(5000 + n)}
	all["RefreshToken"][who+".t-env-refreshtoken-c"] = map[string]string{"home_account_id": who + ".t", "environment": "env", "client_id": "c",
		"credential_type": "RefreshToken", "secret": fmt.Sprintf("rt-%s-%d", who, n)}
	data, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return data
}

// many are people whose tokens nobody touches.
func many() []string {
	var people []string
	for i := range 30 {
		people = append(people, fmt.Sprintf("p%d", i))
	}
	return people
}

// TestRefreshesWhileTheStoreFails: however long it fails, what is kept doesn't
// grow, and is all stored in the end.
func TestRefreshesWhileTheStoreFails(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	save(t, p, string(cacheOf(append(many(), "ann", "bob")...)))
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {}})
	mend := failing(s)
	const rounds = 20
	for n := range rounds {
		for _, who := range []string{"ann", "bob"} {
			v := view(t, c)
			if _, err := c.Merge(t.Context(), v, refreshed(v, who, n), tokencache.OpSilent); err == nil {
				t.Fatal("a full disk gave no error")
			}
		}
	}
	if n := len(c.waiting()); n > 3 {
		t.Errorf("%d changes wait", n)
	}
	if c.Close(t.Context()) == nil {
		t.Error("a full disk gave no error")
	}
	kept := 0
	for _, ch := range c.waiting() {
		kept += len(ch.Base) + len(ch.Ours)
	}
	if n := len(c.waiting()); n != 2 || kept > 8<<10 {
		t.Errorf("%d changes wait, with %d bytes", n, kept)
	}
	other := NewPersistedTokenCache(first(onDisk(t, path)), nil)
	if err := other.RemoveAccount(t.Context(), tokencache.Account{HomeAccountID: "bob.t", Environment: "env"}, ""); err != nil {
		t.Fatal(err)
	}
	mend()
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := fmt.Sprintf(`"rt-ann-%d"`, rounds-1)
	if got := load(t, p); strings.Count(got, "rt-ann") != 1 || !strings.Contains(got, last) || strings.Contains(got, "bob") || !strings.Contains(got, "rt-p29") {
		t.Errorf("stored: %d tokens of ann, the last: %v, bob: %v", strings.Count(got, "rt-ann"), strings.Contains(got, last), strings.Contains(got, "bob"))
	}
}

// TestWhatChangedNothingIsntKept: a call on behalf of a user exports what was
// there.
func TestWhatChangedNothingIsntKept(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	save(t, p, torn)
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {}})
	v := view(t, c)
	if _, err := c.Merge(t.Context(), v, v.Readable(), tokencache.OpSilent); err == nil {
		t.Error("bytes behind the cache gave no error")
	}
	if err := c.Close(t.Context()); err != nil {
		t.Errorf("it is kept: %v", err)
	}
}

func TestManyFailAtOnce(t *testing.T) {
	t.Parallel()
	p, s := inMemory(t)
	save(t, p, string(cacheOf(many()...)))
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {}})
	mend := failing(s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 5 {
				v, err := c.View(t.Context())
				if err == nil {
					_, err = c.Merge(t.Context(), v, refreshed(v, fmt.Sprintf("p%d", i), n), tokencache.OpSilent)
				}
				if err == nil {
					t.Error("a full disk gave no error")
				}
			}
		})
	}
	wg.Wait()
	mend()
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := load(t, p)
	for i := range 8 {
		if !strings.Contains(got, fmt.Sprintf(`"rt-p%d-4"`, i)) {
			t.Errorf("the last token of p%d isn't stored", i)
		}
	}
}
