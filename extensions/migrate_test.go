package extensions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/internal/record"
	"github.com/msalext/msalext/plugins/file"
)

func open(t *testing.T, b backend.Backend, where string) *extensions.Persistence {
	t.Helper()
	o := &extensions.Options{InProcess: []backend.Backend{b}}
	p, err := extensions.Open(t.Context(), b.Describe().Name, where, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, p) })
	return p
}

// people is a token cache with these accounts.
func people(names ...string) string {
	accounts := map[string]any{}
	for _, name := range names {
		accounts[name+".t-env-t"] = map[string]string{"home_account_id": name + ".t", "environment": "env", "realm": "t", "username": name}
	}
	data, _ := json.Marshal(map[string]any{"Account": accounts})
	return string(data)
}

// signedIn lists the accounts of a token cache.
func signedIn(data []byte) []string {
	var c struct {
		Account map[string]struct {
			Username string `json:"username"`
		}
	}
	if len(data) > 0 && json.Unmarshal(data, &c) != nil {
		return []string{"not a cache"}
	}
	var names []string
	for _, a := range c.Account {
		names = append(names, a.Username)
	}
	slices.Sort(names)
	return names
}

func fill(t *testing.T, p *extensions.Persistence, items map[string]string) {
	t.Helper()
	for key, data := range items {
		if err := p.Key(key).Save(t.Context(), []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
}

// holds reads the items of these keys; what isn't stored is left out.
func holds(t *testing.T, p *extensions.Persistence, keys ...string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, key := range keys {
		data, err := p.Key(key).Load(t.Context())
		switch {
		case err == nil:
			got[key] = string(data)
		case !errors.Is(err, backend.ErrNotFound):
			t.Fatalf("%q: %v", key, err)
		}
	}
	return got
}

var threeItems = map[string]string{"": people("eve"), "alice": people("alice"), "bob@example.com": `opaque, not a cache`}

func keysOf(items map[string]string) []string { return slices.Sorted(maps.Keys(items)) }

func recorded(t *testing.T, where string) string {
	t.Helper()
	r, err := record.Read(where)
	if err != nil {
		t.Fatal(err)
	}
	return r.Backend
}

func TestMigrateElsewhere(t *testing.T) {
	t.Parallel()
	for _, deleted := range []bool{false, true} {
		for name, b := range map[string]backend.Backend{"file": file.Backend(), "sealed": sealed{}, "memory": &memory.Backend{}} {
			t.Run(fmt.Sprintf("%s/deleted %v", name, deleted), func(t *testing.T) {
				t.Parallel()
				here, there := location(t), location(t)
				from, to := open(t, file.Backend(), here), open(t, b, there)
				fill(t, from, threeItems)
				var told []string
				o := &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: deleted, Progress: func(done, total int, key string) {
					told = append(told, fmt.Sprintf("%d/%d %s", done, total, key))
				}}
				if err := extensions.Migrate(t.Context(), from, to, o); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(threeItems, holds(t, to, keysOf(threeItems)...)); d != "" {
					t.Error(d)
				}
				if d := cmp.Diff([]string{"1/3 ", "2/3 alice", "3/3 bob@example.com"}, told); d != "" {
					t.Error(d)
				}
				left, keeper := threeItems, "file"
				if deleted {
					left, keeper = map[string]string{}, ""
				}
				if d := cmp.Diff(left, holds(t, from, keysOf(threeItems)...)); d != "" || recorded(t, here) != keeper {
					t.Errorf("source is recorded as %q and holds %s", recorded(t, here), d)
				}
				if recorded(t, there) != name {
					t.Errorf("target is recorded as %q", recorded(t, there))
				}
				probes, err := filepath.Glob(filepath.Dir(there) + "/*probe*")
				if err != nil || len(probes) > 0 {
					t.Errorf("left behind: %v, %v", probes, err)
				}
			})
		}
	}
}

// In place it can't be done, so that goes by another location.
func TestMigrateToAnotherBackendInTheSameFile(t *testing.T) {
	t.Parallel()
	where, via := location(t), location(t)
	fill(t, open(t, file.Backend(), where), threeItems)
	o := &extensions.MigrateOptions{DeleteSource: true, AllowPlaintext: true}
	for _, step := range [][2]*extensions.Persistence{
		{open(t, file.Backend(), where), open(t, disguised{}, via)},
		{open(t, disguised{}, via), open(t, disguised{}, where)},
	} {
		if err := extensions.Migrate(t.Context(), step[0], step[1], o); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(threeItems, holds(t, open(t, disguised{}, where), keysOf(threeItems)...)); d != "" || recorded(t, where) != "disguised" {
		t.Error(recorded(t, where), d)
	}
}

// After a migration at one location the application goes on with the new
// backend, by BuildPersistence, and the old one is refused.
func TestMigrateToAnotherBackendAtTheSameLocation(t *testing.T) {
	t.Parallel()
	for _, deleted := range []bool{false, true} {
		t.Run(fmt.Sprint("deleted ", deleted), func(t *testing.T) {
			t.Parallel()
			where := location(t)
			from := open(t, file.Backend(), where)
			fill(t, from, threeItems)
			if err := extensions.Migrate(t.Context(), from, open(t, sealed{}, where), &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: deleted}); err != nil {
				t.Fatal(err)
			}
			o := &extensions.Options{Candidates: []string{"sealed"}, FallbackToPlaintext: true, InProcess: []backend.Backend{file.Backend(), sealed{}}}
			p, err := extensions.BuildPersistence(t.Context(), where, o)
			if err != nil {
				t.Fatal(err)
			}
			defer closed(t, p)
			if d := cmp.Diff(threeItems, holds(t, p, keysOf(threeItems)...)); d != "" || p.Backend() != "sealed" {
				t.Error(p.Backend(), d)
			}
			if err := from.Save(t.Context(), []byte("x")); !errors.Is(err, backend.ErrBackendChanged) {
				t.Errorf("a program that still has the old one: %v", err)
			}
			data, err := os.ReadFile(where)
			if kept := string(data) == threeItems[""]; err != nil || kept == deleted || deleted && len(data) > 0 {
				t.Errorf("the old file has %q, %v", data, err)
			}
		})
	}
}

func TestMigrateBackAndForth(t *testing.T) {
	t.Parallel()
	where, via := location(t), location(t)
	fill(t, open(t, file.Backend(), where), threeItems)
	o := &extensions.MigrateOptions{DeleteSource: true, AllowPlaintext: true}
	for i, step := range [][2]*extensions.Persistence{
		{open(t, file.Backend(), where), open(t, sealed{}, where)},
		{open(t, sealed{}, where), open(t, sealed{name: "other"}, where)},
		{open(t, sealed{name: "other"}, where), open(t, file.Backend(), where)},
		{open(t, file.Backend(), where), open(t, file.Backend(), via)},
		{open(t, file.Backend(), via), open(t, sealed{}, where)}, // which nobody keeps any more
	} {
		if err := extensions.Migrate(t.Context(), step[0], step[1], o); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if d := cmp.Diff(threeItems, holds(t, step[1], keysOf(threeItems)...)); d != "" {
			t.Errorf("step %d: %s", i, d)
		}
	}
}

// tree is what a directory holds, names and content, without locks.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".lockqueue") {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

func TestMigrateDryRun(t *testing.T) {
	t.Parallel()
	at, there := location(t), location(t)
	from, to := open(t, file.Backend(), at), open(t, file.Backend(), there)
	fill(t, from, threeItems)
	before := tree(t, filepath.Dir(at))
	told := 0
	o := &extensions.MigrateOptions{AllowPlaintext: true, DryRun: true, DeleteSource: true, Progress: func(int, int, string) { told++ }}
	if err := extensions.Migrate(t.Context(), from, to, o); err != nil || told != 3 {
		t.Errorf("%v, and told of %d items", err, told)
	}
	if d := cmp.Diff(before, tree(t, filepath.Dir(at))); d != "" {
		t.Error(d)
	}
	if got := tree(t, filepath.Dir(there)); len(got) > 0 {
		t.Errorf("written at the target: %v", got)
	}
}

func TestMigrateOneItem(t *testing.T) {
	t.Parallel()
	from, to := open(t, file.Backend(), location(t)), open(t, sealed{}, location(t))
	fill(t, from, threeItems)
	if err := extensions.Migrate(t.Context(), from.Key("alice"), to.Key("al"), &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: true}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"al": threeItems["alice"]}, holds(t, to, "", "al", "alice")); d != "" {
		t.Error(d)
	}
	if got := holds(t, from, keysOf(threeItems)...); len(got) != 2 {
		t.Errorf("the source holds %v", got)
	}
}

func TestMigrateNamedItems(t *testing.T) {
	t.Parallel()
	at, long := location(t), strings.Repeat("@", 60)
	from, to := open(t, disguised{}, at), open(t, sealed{}, at)
	fill(t, from, map[string]string{"": "x", long: "y"})
	if err := extensions.Migrate(t.Context(), from, to, &extensions.MigrateOptions{AllowPlaintext: true, Keys: []string{long, "", "nobody"}}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"": "x", long: "y"}, holds(t, to, "", long, "nobody")); d != "" {
		t.Error(d)
	}
}

func TestMigrateEnds(t *testing.T) {
	t.Parallel()
	from, to := open(t, file.Backend(), location(t)), open(t, sealed{}, location(t))
	fill(t, from, threeItems)
	ctx, cancel := context.WithCancel(t.Context())
	o := &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: true, Progress: func(int, int, string) { cancel() }}
	if err := extensions.Migrate(ctx, from, to, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := holds(t, to, keysOf(threeItems)...); len(got) != 1 {
		t.Errorf("the target holds %v", got)
	}
	if d := cmp.Diff(threeItems, holds(t, from, keysOf(threeItems)...)); d != "" {
		t.Error(d)
	}
	if err := extensions.Migrate(t.Context(), from, to, nil); err != nil {
		t.Errorf("again: %v", err)
	}
}
