package persist

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// torn is ann's cache, written in place over a longer one.
var torn = string(cacheOf("ann")) + `oken","secret":"x"}}}`

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBytesBehindTheCacheLockNobodyOut(t *testing.T) {
	t.Parallel()
	for name, behind := range map[string]string{"rest of a longer cache": torn[len(cacheOf("ann")):], "NULs": "\x00\x00", "another object": "{}", "half a character": "\xe2\x82"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, _ := onDisk(t, path)
			content := string(cacheOf("ann")) + behind
			save(t, p, content)
			var told []error
			c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(err error) { told = append(told, err) }})
			for range 3 {
				if got := signedIn(t, c); got != "ann" {
					t.Fatalf("signed in: %q", got)
				}
			}
			if len(told) != 1 || !errors.Is(told[0], backend.ErrCorrupt) {
				t.Errorf("told: %v", told)
			}
			if err := c.Modify(t.Context(), func(*tokencache.TokenCache) error { return nil }); !errors.Is(err, backend.ErrCorrupt) {
				t.Errorf("Modify gave %v", err)
			}
			after, err := c.Merge(t.Context(), view(t, c), cacheOf("ann", "bob"), tokencache.OpAcquire)
			if !errors.Is(err, backend.ErrCorrupt) || !after.Same(view(t, c)) || signedIn(t, c) != "ann bob" {
				t.Errorf("Merge gave %v, and bob isn't signed in for this process", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != content {
				t.Errorf("the file has %q, %v", got, err)
			}
			put(t, path, string(cacheOf("ann")))
			if err := c.Close(t.Context()); err != nil || load(t, p) == string(cacheOf("ann")) || signedIn(t, c) != "ann bob" {
				t.Errorf("once they are gone: %v", err)
			}
		})
	}
}

// TestPeerThatWritesInPlace has bytes behind the cache only for the moment
// between a peer's write and its truncation.
func TestPeerThatWritesInPlace(t *testing.T) {
	t.Parallel()
	noChange := func(*tokencache.TokenCache) error { return nil }
	for _, c := range []struct {
		name, first string
		after       int // loads, until the file is whole
		use         func(*PersistedTokenCache) error
	}{
		{"read", torn, 1, func(c *PersistedTokenCache) error { _, err := c.View(t.Context()); return err }},
		{"read half a cache", torn[:40], 3, func(c *PersistedTokenCache) error { _, err := c.View(t.Context()); return err }},
		{"write", torn, 1, func(c *PersistedTokenCache) error { return c.Modify(t.Context(), noChange) }},
		{"write a little later", torn, 3, func(c *PersistedTokenCache) error { return c.Modify(t.Context(), noChange) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, s := onDisk(t, path)
			save(t, p, c.first)
			n := 0
			s.onLoad = func(context.Context) error {
				if n++; n == c.after+1 {
					put(t, path, string(cacheOf("ann", "bob")))
				}
				return nil
			}
			cache := NewPersistedTokenCache(p, &CacheOptions{OnError: func(err error) { t.Errorf("told: %v", err) }})
			if err := c.use(cache); err != nil || signedIn(t, cache) != "ann bob" {
				t.Errorf("got %v, signed in: %q", err, signedIn(t, cache))
			}
		})
	}
}

func TestUsableCacheDoesntWaitForTheLock(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	save(t, p, torn)
	other := first(onDisk(t, path))
	held, done := make(chan struct{}), make(chan struct{})
	released := make(chan error, 1)
	go func() {
		released <- other.Update(context.Background(), func(old []byte) ([]byte, error) { close(held); <-done; return old, nil })
	}()
	<-held
	read := make(chan string, 1)
	go func() { read <- signedIn(t, NewPersistedTokenCache(p, nil)) }()
	select {
	case got := <-read:
		if got != "ann" {
			t.Errorf("signed in: %q", got)
		}
	case <-time.After(10 * usableWait):
		t.Error("reading waits for a lock")
	}
	close(done)
	if err := <-released; err != nil {
		t.Error(err)
	}
}
