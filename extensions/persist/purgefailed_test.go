package persist

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
)

// Where nothing but its signal file tells of an item, that stays as long as the
// item does.
func TestPurgeRepeatedWhereSignalsTell(t *testing.T) {
	t.Parallel()
	p, s := onKeyStore(t, tempPath(t))
	long := strings.Repeat("long", 50)
	for _, key := range []string{"", "a", "b", long} {
		save(t, p.Key(key), "x")
	}
	hash := filepath.Base(backend.PathFor(p.Location(), long))
	inner := s.Store
	s.Store = stuck{inner}
	left := func(want ...string) {
		t.Helper()
		got := slices.DeleteFunc(filesIn(t, filepath.Dir(p.Location())), func(name string) bool { return strings.Contains(name, ".lock") })
		slices.Sort(want)
		if !slices.Equal(want, got) {
			t.Errorf("left %q, want %q", got, want)
		}
	}
	if err := p.Purge(t.Context(), nil); !errors.Is(err, backend.ErrCorrupt) || !errors.Is(err, backend.ErrUnsupported) || !strings.Contains(err.Error(), "PurgeOptions.Keys") {
		t.Errorf("with an item that can't be removed, and one that isn't told: %v", err)
	}
	left("cache.key-a", hash, "cache.msalext")
	s.Store = inner
	if err := p.Purge(t.Context(), nil); !errors.Is(err, backend.ErrUnsupported) || errors.Is(err, backend.ErrCorrupt) {
		t.Errorf("with one that isn't told: %v", err)
	}
	left(hash, "cache.msalext")
	if _, err := s.Load(t.Context(), "a", backend.None); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("the repeat left the item: %v", err)
	}
	purgeAll(t, p, PurgeOptions{Keys: []string{long}})
	left()
}

// What a store can't read goes with the file that all items lie in.
func TestPurgeOfWhatCantBeReadInADatabase(t *testing.T) {
	t.Parallel()
	p := kinds["database"](t)
	path := p.Location()
	save(t, p, "main")
	save(t, p.Key("a"), "a")
	litter(t, path)
	s := p.opening.store
	s.store, s.info.Location = stuck{s.store}, path
	got := purgeAll(t, p, PurgeOptions{})
	want := []string{"item ", "item a", "record cache.msalext", "store cache"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	if left := filesIn(t, filepath.Dir(path)); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
}
