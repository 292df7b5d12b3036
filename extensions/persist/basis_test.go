package persist

import (
	"bytes"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/internal/ownedfile"
	"github.com/msalext/msalext/internal/record"
)

// renaming gives everybody whom it finds another name.
func renaming(name string) func(*tokencache.TokenCache) error {
	return func(tc *tokencache.TokenCache) error {
		for _, e := range tc.Search(tokencache.Query{Section: tokencache.Accounts}) {
			if _, err := tc.Modify(e, map[string]any{"name": name}); err != nil {
				return err
			}
		}
		return nil
	}
}

func modify(t *testing.T, c *PersistedTokenCache, fn func(*tokencache.TokenCache) error) {
	t.Helper()
	if err := c.Modify(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func TestChangesInARowLoadOnce(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	save(t, p, string(cacheOf("ann")))
	c := NewPersistedTokenCache(p, nil)
	modify(t, c, renaming("first"))
	before, _ := s.counts()
	for _, name := range []string{"second", "third", "fourth"} {
		modify(t, c, renaming(name))
	}
	if after, saves := s.counts(); after != before || saves != 5 {
		t.Errorf("%d loads and %d saves, want none and 5", after-before, saves)
	}
	if data, _ := os.ReadFile(path); !bytes.Contains(data, []byte(`"name":"fourth"`)) {
		t.Errorf("stored: %s", data)
	}
}

func TestChangeOfWhatWasRead(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	save(t, p, string(cacheOf("ann", "bob")))
	c := NewPersistedTokenCache(p, nil)
	for _, name := range []string{"x", "y"} {
		if got := signedIn(t, c); got != "ann bob" {
			t.Errorf("%q are signed in", got)
		}
		modify(t, c, func(*tokencache.TokenCache) error { return nil })
		modify(t, c, renaming(name))
	}
	if data, _ := os.ReadFile(path); bytes.Count(data, []byte(`"name":"y"`)) != 2 {
		t.Errorf("stored: %s", data)
	}
}

// hidden writes as peers do, in place, and makes the cache take the file for
// what it left there: as if size, times and inode were the same.
func hidden(t *testing.T, c *PersistedTokenCache, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	stamp, err := ownedfile.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.left.stamp == (ownedfile.Stamp{}) {
		t.Fatal("the test proves nothing: the cache doesn't go by the file")
	}
	c.left.stamp = stamp
}

func TestHiddenWriteOfOthersIsMerged(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	var conflicts atomic.Int32
	p.opened().trace = &Trace{Conflict: func(Event) { conflicts.Add(1) }}
	save(t, p, string(cacheOf("ann")))
	c := NewPersistedTokenCache(p, nil)
	modify(t, c, renaming("x"))
	hidden(t, c, path, cacheOf("ann", "bob"))
	modify(t, c, renaming("y"))
	if got := signedIn(t, c); got != "ann bob" || conflicts.Load() != 1 {
		t.Errorf("%q are signed in after %d conflicts", got, conflicts.Load())
	}
	if data, _ := os.ReadFile(path); bytes.Count(data, []byte(`"name":"y"`)) != 2 {
		t.Errorf("the change was made on what was there before: %s", data)
	}
}

// What a change decides without a save is not decided on what may be old.
func TestDecisionsAreMadeOnWhatIsStored(t *testing.T) {
	t.Parallel()
	failure := errors.New("there is no bob")
	for name, fn := range map[string]func(bob bool) error{
		"error":     func(bob bool) error { return map[bool]error{false: failure}[bob] },
		"no change": func(bool) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			p, _ := onDisk(t, path)
			save(t, p, string(cacheOf("ann")))
			c := NewPersistedTokenCache(p, nil)
			modify(t, c, renaming("x"))
			hidden(t, c, path, cacheOf("ann", "bob"))
			saw := 0
			modify(t, c, func(tc *tokencache.TokenCache) error {
				saw = len(tc.Accounts())
				return fn(saw == 2)
			})
			if saw != 2 {
				t.Errorf("the last run saw %d people", saw)
			}
			err := c.Modify(t.Context(), func(*tokencache.TokenCache) error { return failure })
			if !errors.Is(err, failure) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDeletedCacheDoesNotComeBack(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	save(t, p, string(cacheOf("ann")))
	c := NewPersistedTokenCache(p, nil)
	modify(t, c, renaming("x"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	modify(t, c, renaming("y"))
	if got := signedIn(t, c); got != "" {
		t.Errorf("%q came back", got)
	}
}

// The argument of a change is its own, also afterwards.
func TestKeptArgumentChangesNothing(t *testing.T) {
	t.Parallel()
	p, _ := onDisk(t, tempPath(t))
	save(t, p, string(cacheOf("ann", "bob")))
	c := NewPersistedTokenCache(p, nil)
	var kept []*tokencache.TokenCache
	for _, name := range []string{"x", "y"} {
		modify(t, c, func(tc *tokencache.TokenCache) error {
			kept = append(kept, tc)
			return renaming(name)(tc)
		})
		for _, tc := range kept {
			tc.RemoveAccount(tc.Accounts()[0], "")
			tc.OnChange(func() { t.Error("a hook of an earlier change was called") })
		}
		kept = kept[:0]
	}
	modify(t, c, renaming("z"))
	if got := signedIn(t, c); got != "ann bob" {
		t.Errorf("%q are left", got)
	}
}

// Where no file tells of changes, each change asks the store.
func TestStoreWithoutStampIsAsked(t *testing.T) {
	t.Parallel()
	p, s := onDisk(t, tempPath(t))
	p.opened().info.Stamp = backend.StampNone
	save(t, p, string(cacheOf("ann")))
	c := NewPersistedTokenCache(p, nil)
	modify(t, c, renaming("x"))
	before, _ := s.counts()
	modify(t, c, renaming("y"))
	if after, _ := s.counts(); after != before+1 {
		t.Errorf("%d loads, want 1", after-before)
	}
}

// The record isn't read each time, but one that others wrote is noticed.
func TestRecordOfOthersIsNoticed(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	save(t, p, "one")
	s := p.opened()
	for deadline := time.Now().Add(30 * time.Second); ; {
		if certain, _ := s.recorded.holds(path); certain {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it never became certain")
		}
		load(t, p)
	}
	if err := os.WriteFile(record.Path(path), []byte(`{"format":1,"backend":"vault","encrypted":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrBackendChanged) {
		t.Errorf("load: %v", err)
	}
	if err := p.Save(t.Context(), []byte("two")); !errors.Is(err, backend.ErrBackendChanged) {
		t.Errorf("save: %v", err)
	}
}
