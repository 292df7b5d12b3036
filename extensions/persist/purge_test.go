package persist

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/internal/filelock"
	"github.com/msalext/msalext/plugins/file"
)

func purgeAll(t *testing.T, p *Persistence, opts PurgeOptions) (names []string) {
	t.Helper()
	opts.Progress = func(was Purged) {
		name := was.Name
		if was.File {
			name = filepath.Base(name)
		}
		names = append(names, was.What+" "+name)
	}
	if err := p.Purge(t.Context(), &opts); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// litter leaves a file as programs do that end in the middle of something.
func litter(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// strangers have names that only look like ours.
var strangers = []string{
	"cache2", "cache.keys", "cache.keys.msalext", "cache.bak", "cache.key-B", "cache.key-a.bak", "Xcache", "cache.corrupt", ".lockfile",
	"cache.lockfile.bak", "cache.msalext-tmp-1", "cache.key-a.msalext",
}

func TestPurgeOfFiles(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p := ready(t, "file", file.Backend(), path)
	long := strings.Repeat("long", 50)
	for _, key := range []string{"", "a", long} {
		save(t, p.Key(key), string(cacheOf("ann")))
	}
	hash := filepath.Base(backend.PathFor(path, long))
	for _, name := range append([]string{
		"cache.corrupt-20250102T030405Z", "cache.key-a.corrupt-20250102T030405Z-1", "cache.msalext-tmp-0123456789abcdef",
		"cache.msalext.msalext-tmp-0123456789abcdef", "cache.writes", "cache.key-gone.lockqueue", "cache.key-gone.writes",
		"cache.key-probe-aaaa", "cache.key-%41",
	}, strangers...) {
		litter(t, filepath.Join(filepath.Dir(path), name))
	}
	if err := os.Mkdir(path+".key-dir", 0o700); err != nil {
		t.Fatal(err)
	}
	before := filesIn(t, filepath.Dir(path))

	want := []string{
		"item cache", "item cache.key-%41", "item cache.key-a", "item cache.key-probe-aaaa", "item " + hash,
		"lock cache.key-a.lockqueue", "lock cache.key-gone.lockqueue", "lock cache.lockqueue", "lock " + hash + ".lockqueue",
		"note cache.key-gone.writes", "note cache.writes", "note " + hash + ".name",
		"quarantined copy cache.corrupt-20250102T030405Z", "quarantined copy cache.key-a.corrupt-20250102T030405Z-1",
		"record cache.msalext", "temporary file cache.msalext-tmp-0123456789abcdef", "temporary file cache.msalext.msalext-tmp-0123456789abcdef",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, purgeAll(t, p, PurgeOptions{DryRun: true})); diff != "" {
		t.Errorf("a dry run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, filesIn(t, filepath.Dir(path))); diff != "" {
		t.Errorf("a dry run changed:\n%s", diff)
	}
	// Taking the lock of what has none yet adds to the locks.
	want = slices.DeleteFunc(want, func(s string) bool { return strings.HasPrefix(s, "lock") })
	got := slices.DeleteFunc(purgeAll(t, p, PurgeOptions{}), func(s string) bool { return strings.HasPrefix(s, "lock") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	rest := append([]string{"cache.key-dir"}, strangers...)
	slices.Sort(rest)
	if diff := cmp.Diff(rest, filesIn(t, filepath.Dir(path))); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
}

func TestPurgeOfAStoreWithoutFiles(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"keyring", "database"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := kinds[kind](t)
			store := p.opening.store.store
			save(t, p, string(cacheOf("ann")))
			save(t, p.Key("a"), rubbish)
			moveAside(t, p.Key("a"))
			save(t, p.Key("a"), string(cacheOf("ann")))
			save(t, p.Key("probe-"+strings.Repeat("A", 26)), "left")
			if n := len(purgeAll(t, p, PurgeOptions{DryRun: true})); n < 5 {
				t.Errorf("a dry run tells of %d", n)
			}
			if left, err := keysOf(t, p, ""); err != nil || len(left) != 2 {
				t.Errorf("after a dry run: %q, %v", left, err)
			}
			got := purgeAll(t, p.Key("a"), PurgeOptions{})
			for _, want := range []string{"item ", "item a", "probe probe-", "quarantined copy a.corrupt-", "record cache.msalext"} {
				if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
					t.Errorf("%q isn't among %q", want, got)
				}
			}
			if left := filesIn(t, filepath.Dir(p.Location())); len(left) > 0 {
				t.Errorf("files are left: %q", left)
			}
			if _, err := store.Load(t.Context(), "a", backend.None); !errors.Is(err, backend.ErrClosed) {
				t.Errorf("the store is still open: %v", err)
			}
		})
	}
}

// What one item has against it doesn't keep the others, and the record stays.
func TestPurgeGoesOn(t *testing.T) {
	t.Parallel()
	p := onKeyring(t)
	inner := p.opening.store.store.(keyring)
	save(t, p, "main")
	save(t, p.Key("a"), "a")
	p.opening.store.store = keyring{stuck(inner)}
	if err := p.Purge(t.Context(), nil); !errors.Is(err, backend.ErrCorrupt) {
		t.Fatalf("%v", err)
	}
	if left, err := keysOf(t, p, ""); err != nil || len(left) != 1 || left[0] != "a" {
		t.Errorf("%q, %v", left, err)
	}
	if left := filesIn(t, filepath.Dir(p.Location())); !slices.Contains(left, "cache.msalext") {
		t.Errorf("the record is gone: %q", left)
	}
	p.opening.store.store = inner
	purgeAll(t, p, PurgeOptions{})
	if left := filesIn(t, filepath.Dir(p.Location())); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
}

// stuck is a store that can't read one item.
type stuck struct{ backend.Store }

func (s stuck) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if key == "a" {
		return backend.Blob{}, &backend.Error{Op: "load", Kind: backend.ErrCorrupt}
	}
	return s.Store.Load(ctx, key, have)
}

func (s stuck) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return s.Store.(backend.Lister).Keys(ctx, prefix)
}

func TestPurgeWaitsForTheLock(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p := ready(t, "file", file.Backend(), path)
	save(t, p, "one")
	lock, err := filelock.Acquire(t.Context(), path, filelock.Options{Program: "az"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Purge(ctx, nil); !errors.Is(err, backend.ErrLockTimeout) || !strings.Contains(err.Error(), "(az)") {
		t.Errorf("%v", err)
	}
	if got := load(t, p); got != "one" {
		t.Errorf("it has %q", got)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	purgeAll(t, p, PurgeOptions{})
	if left := filesIn(t, filepath.Dir(path)); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
}

func TestPurgeRefuses(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	save(t, ready(t, "file", file.Backend(), path), "one")
	other := ready(t, "memory", &memory.Backend{}, path)
	if err := other.Purge(t.Context(), nil); !errors.Is(err, backend.ErrBackendChanged) {
		t.Errorf("another backend: %v", err)
	}
	blind, s := inMemory(t)
	s.info = func(i backend.Info) backend.Info { i.Caps = backend.CanCAS; return i }
	blind = New("blind", s, blind.opening.store.config, nil)
	if err := blind.Purge(t.Context(), nil); !errors.Is(err, backend.ErrUnsupported) {
		t.Errorf("a store that can't list: %v", err)
	}
	save(t, blind.Key("a"), "a")
	purgeAll(t, blind, PurgeOptions{Keys: []string{"", "a"}})
}

func TestPurgeOfNothing(t *testing.T) {
	t.Parallel()
	for kind, open := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if got := purgeAll(t, open(t), PurgeOptions{}); len(got) > 0 {
				t.Errorf("%q", got)
			}
		})
	}
}
