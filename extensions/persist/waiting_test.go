package persist

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/internal/filelock"
)

// room is how long an event may take that needs a second at most.
const room = 10 * time.Second

func eventually(t *testing.T, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(room); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never happened")
		}
	}
}

// held is a lock on a path that somebody else has.
func held(t *testing.T, path string) *filelock.Lock {
	t.Helper()
	l, err := filelock.Acquire(t.Context(), path, filelock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Release() })
	return l
}

// A sign-in that waits for another process's lock keeps nobody from reading,
// and none that comes after it loses its token.
func TestReadersDontWaitForWriters(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	c := NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {}})
	lock := held(t, path)
	done := make(chan error)
	go func() {
		_, err := c.Merge(t.Context(), View{}, cacheOf("ann"), tokencache.OpAcquire)
		done <- err
	}()
	eventually(t, func() bool { return len(c.waiting()) == 1 })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Merge(ended, View{}, cacheOf("bob"), tokencache.OpAcquire); !errors.Is(err, context.Canceled) {
		t.Errorf("a wait whose ctx ended gave %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), room)
	defer cancel()
	if v, err := c.View(ctx); err != nil || !strings.Contains(string(v.Bytes()), "rt-ann") || !strings.Contains(string(v.Bytes()), "rt-bob") {
		t.Errorf("meanwhile: %s, %v", v.Bytes(), err)
	}
	if err := errors.Join(lock.Release(), <-done); err != nil {
		t.Fatal(err)
	}
	if got := signedIn(t, NewPersistedTokenCache(p, nil)); got != "ann bob" {
		t.Errorf("stored: %q", got)
	}
	// What one write took along needs no second one.
	if _, saves := s.counts(); saves != 1 || c.Close(t.Context()) != nil {
		t.Errorf("%d saves", saves)
	}
}

func TestModifyFromWithin(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	c := NewPersistedTokenCache(p, nil)
	merge(t, c, view(t, c), cacheOf("ann"))
	err := c.Modify(t.Context(), func(tc *tokencache.TokenCache) error {
		if got := signedIn(t, c); got != "ann" {
			t.Errorf("from within: %q", got)
		}
		if err := c.Close(t.Context()); !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("Close gave %v", err)
		}
		inner := c.Modify(t.Context(), func(*tokencache.TokenCache) error { return nil })
		if !errors.Is(inner, backend.ErrInvalid) {
			t.Errorf("Modify gave %v", inner)
		}
		return tc.Deserialize(cacheOf("bob"))
	})
	if got := signedIn(t, c); err != nil || got != "bob" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestOnErrorMayUseTheCache(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	_, s := inMemory(t)
	p := New("memory", s, backend.Config{}, &Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	told := 0
	var c *PersistedTokenCache
	c = NewPersistedTokenCache(p, &CacheOptions{OnError: func(error) {
		told++
		if got := signedIn(t, c); got != "ann" {
			t.Errorf("the report comes before the change is kept: %q", got)
		}
	}})
	s.onLoad = func(context.Context) error { return backend.ErrUnavailable }
	if _, err := c.Merge(t.Context(), View{}, cacheOf("ann"), tokencache.OpAcquire); !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if told != 1 || strings.Count(logged.String(), "level=WARN") != 1 {
		t.Errorf("told %d times, and logged %s", told, logged.String())
	}
}

// Not parallel: it replaces the default logger.
func TestWithoutOnErrorFailuresAreLogged(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)
	stuck := make(chan struct{})
	defer close(stuck)
	for name, open := range map[string]func() (*Persistence, error){
		"broken": func() (*Persistence, error) { return nil, backend.ErrDenied },
		"slow":   func() (*Persistence, error) { <-stuck; return nil, backend.ErrDenied },
	} {
		logged.Reset()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		c := NewPersistedTokenCache(Later(open), nil)
		v, err := c.Merge(ctx, View{}, cacheOf("ann"), tokencache.OpAcquire)
		cancel()
		if err == nil || !strings.Contains(string(v.Bytes()), "rt-ann") {
			t.Errorf("%s: %s, %v", name, v.Bytes(), err)
		}
		if text := logged.String(); strings.Count(text, "level=WARN") != 1 || strings.Contains(text, "rt-ann") {
			t.Errorf("%s: logged %q", name, text)
		}
	}
}

// What a write of ours left in memory counts as current only once a load began
// after it: another process may have written before it came back.
func TestOwnWriteIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	c := NewPersistedTokenCache(p, nil)
	d := &fakeDisk{now: time.Now(), tick: time.Nanosecond}
	c.clock = d.clock()
	d.write()
	for range 3 {
		view(t, c)
		d.pass(time.Minute)
	}
	merge(t, c, View{}, cacheOf("ann"))
	before, _ := s.counts()
	view(t, c)
	if after, _ := s.counts(); after != before+1 {
		t.Errorf("%d loads after a write", after-before)
	}
}
