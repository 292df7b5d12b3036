package msal

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
)

func memoryStore(t *testing.T) *persist.Persistence {
	t.Helper()
	store, err := (&memory.Backend{}).Open(t.Context(), backend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return persist.New("memory", store, backend.Config{}, nil)
}

// real makes clients that never get to an identity provider.
func real(c cache.ExportReplace) (confidential.Client, error) {
	credential, err := confidential.NewCredFromSecret("secret")
	if err != nil {
		return confidential.Client{}, err
	}
	return confidential.New("https://login.example/t", "web", credential, confidential.WithInstanceDiscovery(false), confidential.WithCache(c))
}

// use asks for a key's client, and has it look into its cache.
func use(t *testing.T, cs *Clients[confidential.Client], key string) confidential.Client {
	t.Helper()
	client, err := cs.Client(WithPartition(t.Context(), key))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Account(t.Context(), "nobody.t"); err != nil {
		t.Fatal(err)
	}
	return client
}

// wantKnown collects garbage until so many partitions are alive.
func wantKnown(t *testing.T, cs *Clients[confidential.Client], want int) {
	t.Helper()
	known := func() int {
		cs.pool.mu.Lock()
		defer cs.pool.mu.Unlock()
		return len(cs.pool.alive)
	}
	for deadline := time.Now().Add(20 * time.Second); known() != want; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatalf("%d partitions in memory, want %d", known(), want)
		}
	}
}

func TestNothingIsLeftOfAClientThatWasLetGo(t *testing.T) {
	t.Parallel()
	made := 0
	cs := Partitioned(memoryStore(t), nil, func(c cache.ExportReplace) (confidential.Client, error) { made++; return real(c) }, &PartitionOptions{Caches: 3})
	held := use(t, cs, "held")
	for i := range 40 {
		use(t, cs, fmt.Sprint(i))
	}
	wantKnown(t, cs, 4)
	again := use(t, cs, "held")
	if made != 41 {
		t.Errorf("%d clients for 41 keys", made)
	}
	use(t, cs, "38")
	use(t, cs, "39")
	runtime.KeepAlive(held)
	wantKnown(t, cs, 3) // it is among those used lately
	use(t, cs, "40")
	runtime.KeepAlive(again)
	wantKnown(t, cs, 3)
}

// TestCachesLetGoAreForgotten: nothing that finds a partition by its cache stays
// behind.
func TestCachesLetGoAreForgotten(t *testing.T) {
	t.Parallel()
	cs := Partitioned(memoryStore(t), nil, real, &PartitionOptions{Caches: 1})
	part, err := cs.pool.partition("a")
	if err != nil {
		t.Fatal(err)
	}
	at := weak.Make(part.cache)
	if accessTo(part.cache) != access(part) {
		t.Error("not found by its cache")
	}
	use(t, cs, "b")
	known := func() bool {
		partitions.Lock()
		defer partitions.Unlock()
		_, known := partitions.of[at]
		return known
	}
	for deadline := time.Now().Add(20 * time.Second); known(); runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatal("still known")
		}
	}
}

func TestBytesBoundWhatIsInMemory(t *testing.T) {
	t.Parallel()
	p := memoryStore(t)
	for i := range 20 {
		note := strings.Repeat("x", 1000)
		if i == 19 {
			note = strings.Repeat("x", 50_000)
		}
		if err := p.Key(fmt.Sprint(i)).Save(t.Context(), stocked(note)); err != nil {
			t.Fatal(err)
		}
	}
	size := int64(len(stocked(strings.Repeat("x", 1000))))
	cs := Partitioned(p, nil, real, &PartitionOptions{Bytes: 5*size + size/2})
	recent := func() (n int, bytes int64) {
		cs.pool.mu.Lock()
		defer cs.pool.mu.Unlock()
		return cs.pool.recent.Len(), cs.pool.bytes
	}
	for range 2 {
		for i := range 19 {
			use(t, cs, fmt.Sprint(i))
		}
		if n, bytes := recent(); n != 5 || bytes != 5*size {
			t.Errorf("%d caches of %d bytes, want 5 of %d", n, bytes, 5*size)
		}
	}
	use(t, cs, "19")
	if n, bytes := recent(); n != 1 || bytes < 50_000 {
		t.Errorf("%d caches of %d bytes, want the last one alone", n, bytes)
	}
	if err := cs.Remove(t.Context(), "19"); err != nil {
		t.Fatal(err)
	}
	if n, bytes := recent(); n != 0 || bytes != 0 {
		t.Errorf("%d caches of %d bytes after the last was removed", n, bytes)
	}
}

func TestUsedLatelyStays(t *testing.T) {
	t.Parallel()
	cs := Partitioned(memoryStore(t), nil, real, &PartitionOptions{Caches: 2})
	for _, key := range []string{"a", "b", "a", "c"} {
		use(t, cs, key)
	}
	wantKnown(t, cs, 2)
	cs.pool.mu.Lock()
	defer cs.pool.mu.Unlock()
	if _, ok := cs.pool.alive["a"]; !ok {
		t.Error("what was used again was let go")
	}
}
