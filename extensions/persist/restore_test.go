package persist

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/tokencache"
)

// insistent is a token cache that puts back what others overwrite.
func insistent(t *testing.T, path string) (*PersistedTokenCache, *spy) {
	t.Helper()
	p, s := onDisk(t, path)
	c := NewPersistedTokenCache(p, &CacheOptions{RestoreOverwritten: true})
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
		c.restoring.mu.Lock()
		defer c.restoring.mu.Unlock()
		if c.restoring.vigil != nil {
			t.Error("somebody still looks after what was written")
		}
	})
	return c, s
}

// enter signs people in.
func enter(t *testing.T, c *PersistedTokenCache, people ...string) {
	t.Helper()
	v := view(t, c)
	ours, _, err := tokencache.Merge(nil, cacheOf(people...), v.Bytes(), tokencache.OpAcquire)
	if err == nil {
		_, err = c.Merge(t.Context(), v, ours, tokencache.OpAcquire)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func leave(t *testing.T, c *PersistedTokenCache, who string) {
	t.Helper()
	if err := c.RemoveAccount(t.Context(), tokencache.Account{HomeAccountID: who + ".t", Environment: "env"}, ""); err != nil {
		t.Fatal(err)
	}
}

// overwrite does what a peer does that writes in place what it made of an
// earlier state.
func overwrite(t *testing.T, path string, people ...string) {
	t.Helper()
	if err := os.WriteFile(path, cacheOf(people...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// becomes waits until those people are signed in, and no others.
func becomes(t *testing.T, c *PersistedTokenCache, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got := signedIn(t, c)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("signed in: %q, want %q", got, want)
		}
	}
}

// stays looks for a while whether anything changes.
func stays(t *testing.T, c *PersistedTokenCache, want string) {
	t.Helper()
	for end := time.Now().Add(5 * usualPace.patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if got := signedIn(t, c); got != want {
			t.Fatalf("signed in: %q, want %q", got, want)
		}
	}
}

func TestOverwrittenSignInComesBack(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	enter(t, c, "ann")
	for range 5 { // each time anew
		overwrite(t, path, "bob")
		becomes(t, c, "ann bob")
	}
	overwrite(t, path, "bob", "carl")
	becomes(t, c, "ann bob carl")
	if got := load(t, c.p); !strings.Contains(got, "rt-ann") {
		t.Errorf("the token is missing: %s", got)
	}
}

func TestUndoneSignOutIsRepeated(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	enter(t, c, "ann", "bob")
	leave(t, c, "ann")
	overwrite(t, path, "ann", "bob", "carl")
	becomes(t, c, "bob carl")
	if got := load(t, c.p); strings.Contains(got, "rt-ann") {
		t.Errorf("a token is left: %s", got)
	}
}

func TestOverwrittenStaysSoByDefault(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, _ := onDisk(t, path)
	c := NewPersistedTokenCache(p, nil)
	enter(t, c, "ann")
	overwrite(t, path, "bob")
	stays(t, c, "bob")
	if _, err := os.Stat(path + historySuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a history is kept: %v", err)
	}
}

// Two of ours that want opposite things don't undo each other for ever: the
// later one counts.
func TestTwoThatPutBack(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	in, inSpy := insistent(t, path)
	out, outSpy := insistent(t, path)
	enter(t, in, "ann", "bob")
	leave(t, out, "ann")
	stays(t, in, "bob")
	for range 3 {
		overwrite(t, path, "ann", "bob") // as before the sign-out
		becomes(t, in, "bob")
		overwrite(t, path, "carl") // as before the sign-in
		becomes(t, out, "bob carl")
	}
	stays(t, in, "bob carl")
	_, saves1 := inSpy.counts()
	_, saves2 := outSpy.counts()
	if n := saves1 + saves2; n > 2+6+6 { // what was asked for, and a repair each; a sign-in and a sign-out may be repaired apart
		t.Errorf("%d saves", n)
	}
}

func TestDeletedCacheStaysDeleted(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	enter(t, c, "ann")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	stays(t, c, "")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stays(t, c, "")
}

// What somebody wrote who knew of our write is theirs.
func TestLaterChangesStay(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	enter(t, c, "ann")
	v := view(t, c)
	if _, err := c.Merge(t.Context(), v, refreshed(v, "ann", 1), tokencache.OpSilent); err != nil {
		t.Fatal(err)
	}
	later := bytes.ReplaceAll([]byte(load(t, c.p)), []byte("ann-1"), []byte("ann-2"))
	if err := os.WriteFile(path, later, 0o600); err != nil {
		t.Fatal(err)
	}
	stays(t, c, "ann")
	if got := load(t, c.p); got != string(later) {
		t.Errorf("stored: %s", got)
	}
}

// A change that its caller was told has failed must not come later.
func TestFailedChangeIsntPutBack(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, s := insistent(t, path)
	enter(t, c, "bob")
	mend := failing(s)
	err := c.Modify(t.Context(), func(tc *tokencache.TokenCache) error { return tc.Deserialize(cacheOf("ann", "bob")) })
	if err == nil {
		t.Fatal("a full disk gave no error")
	}
	mend()
	overwrite(t, path, "carl")
	becomes(t, c, "bob carl")
	stays(t, c, "bob carl")
}

// A program that ends right after its sign-in, and closes.
func TestCloseLooksAfterTheLastWrite(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	enter(t, c, "ann")
	closed := make(chan error)
	begun := time.Now()
	go func() { closed <- c.Close(t.Context()) }()
	overwrite(t, path, "bob")
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < restoreQuiet || took > restoreWindow {
		t.Errorf("Close took %s", took)
	}
	if got := signedIn(t, c); got != "ann bob" {
		t.Errorf("signed in: %q", got)
	}
	overwrite(t, path, "bob")
	stays(t, c, "bob") // nobody looks any more
	enter(t, c, "carl")
	overwrite(t, path, "bob")
	becomes(t, c, "bob carl") // but after another write
}

// On a busy machine writers take their time between reading and writing, and
// show it before.
func TestCloseWaitsForSlowWriters(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	enter(t, c, "ann")
	time.Sleep(5 * restoreQuiet)
	overwrite(t, path, "bob")
	becomes(t, c, "ann bob")
	enter(t, c, "carl")
	closed := make(chan error)
	go func() { closed <- c.Close(t.Context()) }()
	time.Sleep(2 * restoreQuiet)
	overwrite(t, path, "bob")
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if got := signedIn(t, c); got != "ann bob carl" {
		t.Errorf("signed in: %q", got)
	}
}

func TestCloseWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	c, _ := insistent(t, tempPath(t))
	enter(t, c, "ann")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begun := time.Now()
	_ = c.Close(ctx) // nothing waits to be stored, so that it may as well succeed
	if took := time.Since(begun); took >= restoreQuiet {
		t.Errorf("Close took %s", took)
	}
}

func TestNobodyLooksAfterTheWindow(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	c.restoring.window = 50 * time.Millisecond
	enter(t, c, "ann")
	c.restoring.mu.Lock()
	v := c.restoring.vigil
	c.restoring.mu.Unlock()
	if v != nil {
		select {
		case <-v.done:
		case <-time.After(10 * time.Second):
			t.Fatal("it is still looked after")
		}
	}
	overwrite(t, path, "bob")
	stays(t, c, "bob")
}

// The Persistence may be closed first, although it shouldn't.
func TestVigilEndsWithThePersistence(t *testing.T) {
	t.Parallel()
	c, _ := insistent(t, tempPath(t))
	enter(t, c, "ann")
	c.restoring.mu.Lock()
	v := c.restoring.vigil
	c.restoring.mu.Unlock()
	if err := c.p.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-v.done:
	case <-time.After(10 * time.Second):
		t.Error("somebody still looks at a store that is closed")
	}
}

// A history that can't be read or written costs the repair, not the sign-in.
func TestHistoryThatCantBeKept(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	enter(t, c, "ann")
	if err := os.WriteFile(path+historySuffix, []byte(`{"half`), 0o600); err != nil {
		t.Fatal(err)
	}
	enter(t, c, "bob")
	overwrite(t, path, "carl")
	becomes(t, c, "bob carl")
	supplant(t, path+historySuffix)
	enter(t, c, "dan")
	if got := signedIn(t, c); got != "bob carl dan" {
		t.Errorf("signed in: %q", got)
	}
}

// supplant puts a directory where a file is, which somebody may still be writing.
func supplant(t *testing.T, file string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Logf("still in use: %v", err)
		}
		err := os.Mkdir(file, 0o700)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// While the cache is damaged nobody can put anything back, which isn't to count
// for the time that it is looked after.
func TestDamagedMeanwhile(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	c.restoring.window = 700 * time.Millisecond // longer than restoreAgain
	enter(t, c, "ann")
	if err := os.WriteFile(path, append(cacheOf("bob"), "tail"...), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * c.restoring.window)
	overwrite(t, path, "bob")
	becomes(t, c, "ann bob")
}

func TestDamageIsMended(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	c, _ := insistent(t, path)
	c.quarantine = true
	enter(t, c, "ann")
	if err := os.WriteFile(path, append(cacheOf("bob"), "tail"...), 0o600); err != nil {
		t.Fatal(err)
	}
	becomes(t, c, "ann bob")
	if got := load(t, c.p); strings.Contains(got, "tail") {
		t.Errorf("stored: %s", got)
	}
}
