package persist

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

func TestMergeKeepsWhatOthersWrote(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	a := NewPersistedTokenCache(first(onDisk(t, path)), nil)
	b := NewPersistedTokenCache(first(onDisk(t, path)), nil)
	va, vb := view(t, a), view(t, b)
	merge(t, a, va, cacheOf("ann"))
	merge(t, b, vb, cacheOf("bob"))
	for _, c := range []*PersistedTokenCache{a, b} {
		if got := signedIn(t, c); got != "ann bob" {
			t.Errorf("got %q", got)
		}
	}
	// ann signs out in one process: what b holds in memory doesn't bring her back.
	vb = view(t, b)
	both := vb.Readable()
	if err := a.RemoveAccount(t.Context(), tokencache.Account{HomeAccountID: "ann.t", Environment: "env"}, ""); err != nil {
		t.Fatal(err)
	}
	merge(t, b, vb, both)
	if got := signedIn(t, a); got != "bob" {
		t.Errorf("after the sign-out: %q", got)
	}
}

func view(t *testing.T, c *PersistedTokenCache) View {
	t.Helper()
	v, err := c.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func merge(t *testing.T, c *PersistedTokenCache, base View, ours []byte) {
	t.Helper()
	if _, err := c.Merge(t.Context(), base, ours, tokencache.OpAcquire); err != nil {
		t.Fatal(err)
	}
}

func TestViewStaysTheSameUntilSomethingChanges(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	c := NewPersistedTokenCache(p, nil)
	d := &fakeDisk{now: time.Now(), tick: time.Nanosecond}
	c.clock = d.clock()
	d.write()
	save(t, p, string(cacheOf("ann")))
	v := view(t, c)
	d.pass(time.Minute)
	if w := view(t, c); !v.Same(w) {
		t.Error("an unchanged cache gave another View")
	}
	loads, _ := s.counts()
	d.pass(time.Minute)
	d.stats = 0
	if w := view(t, c); !v.Same(w) || d.stats != 1 {
		t.Errorf("%d stats", d.stats)
	}
	if again, _ := s.counts(); again != loads {
		t.Error("the store was asked although nothing changed")
	}
	save(t, first(onDisk(t, path)), string(cacheOf("bob")))
	d.write()
	if w := view(t, c); v.Same(w) || signedIn(t, c) != "bob" {
		t.Error("the change of another process went unnoticed")
	}
}

// failing makes a store refuse every save until mended.
func failing(s *spy) (mend func()) {
	var mu sync.Mutex
	full := true
	s.onSave = func(_ context.Context, save func() (backend.Version, error)) (backend.Version, error) {
		mu.Lock()
		defer mu.Unlock()
		if full {
			return backend.None, &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("the disk is full")}
		}
		return save()
	}
	return func() { mu.Lock(); defer mu.Unlock(); full = false }
}

func TestWhatTheStoreWontTakeIsKept(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	var told []error
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(err error) { told = append(told, err) }})
	merge(t, c, view(t, c), cacheOf("ann"))
	mend := failing(s)

	v := view(t, c)
	after, err := c.Merge(t.Context(), v, cacheOf("ann", "bob"), tokencache.OpAcquire)
	if !errors.Is(err, backend.ErrUnavailable) || len(told) != 1 || !errors.Is(told[0], backend.ErrUnavailable) {
		t.Errorf("Merge gave %v and told %v", err, told)
	}
	if !strings.Contains(string(after.Bytes()), "rt-bob") || signedIn(t, c) != "ann bob" {
		t.Error("the change isn't part of the view")
	}
	if err := c.Close(t.Context()); !errors.Is(err, backend.ErrUnavailable) || !strings.Contains(err.Error(), "1 of its changes") {
		t.Errorf("Close gave %v", err)
	}
	// Another process goes on meanwhile; its change and ours both stay.
	other := NewPersistedTokenCache(first(onDisk(t, path)), nil)
	merge(t, other, view(t, other), cacheOf("ann", "carl"))
	if got := signedIn(t, c); got != "ann bob carl" {
		t.Errorf("with a change waiting: %q", got)
	}
	mend()
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := signedIn(t, other); got != "ann bob carl" {
		t.Errorf("stored: %q", got)
	}
}

func TestNextWriteStoresWhatWaited(t *testing.T) {
	t.Parallel()
	p, s := inMemory(t)
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {}})
	mend := failing(s)
	if _, err := c.Merge(t.Context(), view(t, c), cacheOf("ann"), tokencache.OpAcquire); err == nil {
		t.Fatal("a full disk gave no error")
	}
	mend()
	merge(t, c, view(t, c), cacheOf("ann", "bob"))
	if got := signedIn(t, NewPersistedTokenCache(p, nil)); got != "ann bob" {
		t.Errorf("stored: %q", got)
	}
}

func TestStoreThatCantBeReadWhileAChangeWaits(t *testing.T) {
	t.Parallel()
	p, s := inMemory(t)
	told := 0
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) { told++ }})
	s.onLoad = func(context.Context) error { return &backend.Error{Kind: backend.ErrLocked} }
	if _, err := c.View(t.Context()); !errors.Is(err, backend.ErrLocked) || told != 0 {
		t.Errorf("a locked store gave %v, and %d reports", err, told)
	}
	if _, err := c.Merge(t.Context(), View{}, cacheOf("ann"), tokencache.OpAcquire); !errors.Is(err, backend.ErrLocked) {
		t.Errorf("Merge gave %v", err)
	}
	if got := signedIn(t, c); got != "ann" || told != 2 {
		t.Errorf("signed in: %q; %d reports", got, told)
	}
}

func TestDamagedCacheIsReportedAndKept(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"not JSON", `{"Account":{"a":`, `[]`, `{"Account":{}`} {
		t.Run(content, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, _ := onDisk(t, path)
			save(t, p, content)
			c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {}})
			_, verr := c.View(t.Context())
			_, merr := c.Merge(t.Context(), View{}, cacheOf("ann"), tokencache.OpAcquire)
			derr := c.Modify(t.Context(), func(*tokencache.TokenCache) error { return nil })
			for _, err := range []error{verr, merr, derr} {
				if !errors.Is(err, backend.ErrCorrupt) || strings.Contains(err.Error(), content) {
					t.Errorf("got %v", err)
				}
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != content {
				t.Errorf("the file has %q, %v", got, err)
			}
		})
	}
}

func TestHalfAWriteIsReadAgainUnderTheLock(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	save(t, p, string(cacheOf("ann")))
	c := NewPersistedTokenCache(p, nil)
	// A peer writes in place: the first load sees half of it, and the file is
	// whole by the time the lock is had.
	whole := string(cacheOf("ann", "bob"))
	if err := os.WriteFile(path, []byte(whole[:50]), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	s.onLoad = func(context.Context) error {
		if n++; n == 2 {
			return os.WriteFile(path, []byte(whole), 0o600)
		}
		return nil
	}
	if got := signedIn(t, c); got != "ann bob" {
		t.Errorf("got %q", got)
	}
}

func TestOursThatIsNoCacheIsRefused(t *testing.T) {
	t.Parallel()
	p, _ := inMemory(t)
	told := 0
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) { told++ }})
	merge(t, c, view(t, c), cacheOf("ann"))
	if _, err := c.Merge(t.Context(), view(t, c), []byte(`{"Account":{"k":}}`), tokencache.OpAcquire); !errors.Is(err, backend.ErrInvalid) || told != 1 {
		t.Errorf("got %v, %d reports", err, told)
	}
	if err := c.Close(t.Context()); err != nil || signedIn(t, c) != "ann" {
		t.Errorf("it was kept: %v", err)
	}
}

func TestModify(t *testing.T) {
	t.Parallel()
	p, _ := inMemory(t)
	c := NewPersistedTokenCache(p, nil)
	own := errors.New("own")
	if err := c.Modify(t.Context(), func(*tokencache.TokenCache) error { return own }); err != own {
		t.Errorf("fn's error came back as %v", err)
	}
	err := c.Modify(t.Context(), func(tc *tokencache.TokenCache) error { return tc.Deserialize(cacheOf("ann")) })
	if err != nil || signedIn(t, c) != "ann" {
		t.Errorf("got %v", err)
	}
}

func TestWaitingForTheCacheEndsWithCtx(t *testing.T) {
	t.Parallel()
	p, _ := inMemory(t)
	c := NewPersistedTokenCache(p, nil)
	ctx, cancel := context.WithCancel(t.Context())
	err := c.Modify(t.Context(), func(*tokencache.TokenCache) error {
		cancel()
		failed := make(chan error)
		go func() { failed <- c.Modify(ctx, func(*tokencache.TokenCache) error { return nil }) }()
		return <-failed
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
