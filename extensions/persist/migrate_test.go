package persist

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/internal/record"
)

var everything = MigrateOptions{AllowPlaintext: true, DeleteSource: true}

// Whoever looked at the record before it changed may still be writing, also an
// item that no list has yet.
func TestMigrateWaitsForWhoWritesAlready(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, key string
		open      func(t *testing.T, path string, mem *memory.Backend) (*Persistence, *spy)
	}{
		{"a new item, under its lock", "late", func(t *testing.T, path string, _ *memory.Backend) (*Persistence, *spy) {
			return onDisk(t, path)
		}},
		{"a new item with a long key", strings.Repeat("@", 60), func(t *testing.T, path string, _ *memory.Backend) (*Persistence, *spy) {
			return onDisk(t, path)
		}},
		{"without a lock", "", func(t *testing.T, path string, mem *memory.Backend) (*Persistence, *spy) {
			return over(t, "memory", mem, path)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path, mem := tempPath(t), &memory.Backend{}
			from, _ := c.open(t, path, mem)
			writer, slow := c.open(t, path, mem)
			to, _ := onKeyStore(t, path)
			save(t, from, "main")
			from.opening.store.limit = time.Second
			saving, goOn := make(chan struct{}), make(chan struct{})
			slow.onSave = func(_ context.Context, save func() (backend.Version, error)) (backend.Version, error) {
				close(saving)
				<-goOn
				return save()
			}
			var all sync.WaitGroup
			all.Go(func() {
				if err := writer.Key(c.key).Save(t.Context(), []byte("late")); err != nil {
					t.Error(err)
				}
			})
			<-saving
			migrated := make(chan struct{})
			all.Go(func() {
				defer close(migrated)
				o := &MigrateOptions{AllowPlaintext: true}
				if strings.HasPrefix(c.key, "@") {
					o.Keys = []string{"", c.key}
				}
				if err := Migrate(t.Context(), from, to, o); err != nil {
					t.Error(err)
				}
			})
			eventually(t, func() bool {
				r, err := record.Read(path)
				return err == nil && r.Backend == "keys"
			})
			select {
			case <-migrated: // it waited for nobody
			case <-time.After(5 * usualPace.patience):
			}
			close(goOn)
			all.Wait()
			if got := load(t, to.Key(c.key)); got != "late" {
				t.Errorf("the target has %q", got)
			}
		})
	}
}

// A target that takes no lock may be written between a copy and the look at it.
func TestMigrateIntoAStoreThatOthersWrite(t *testing.T) {
	t.Parallel()
	from, _ := onDisk(t, tempPath(t))
	save(t, from, string(cacheOf("ann")))
	to, s := inMemory(t)
	others := false
	s.onSave = func(ctx context.Context, save func() (backend.Version, error)) (backend.Version, error) {
		v, err := save()
		if now, lerr := s.Store.Load(ctx, "", backend.None); lerr == nil && !others { // it was no probe
			others = true
			if _, err := s.Store.Save(ctx, "", cacheOf("bob"), now.Version); err != nil {
				t.Error(err)
			}
		}
		return v, err
	}
	if err := Migrate(t.Context(), from, to, &everything); err != nil {
		t.Fatal(err)
	}
	if got := signedIn(t, NewPersistedTokenCache(to, nil)); got != "ann bob" {
		t.Errorf("signed in: %q", got)
	}
}

// Another Migrate on its way back made the source the keeper again: then nothing
// of it may be deleted.
func TestMigrateThatIsTurnedBack(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	from, s := onDisk(t, path)
	to, _ := onKeyStore(t, path)
	save(t, from, "x")
	s.onLoad = func(ctx context.Context) error {
		was, err := record.Read(path)
		if err == nil && was.Backend == "keys" {
			err = record.Replace(ctx, path, was, record.Record{Backend: "file"})
		}
		return err
	}
	if err := Migrate(t.Context(), from, to, &everything); !errors.Is(err, backend.ErrBackendChanged) {
		t.Errorf("got %v", err)
	}
	if got := load(t, from); got != "x" {
		t.Errorf("the source has %q", got)
	}
}

// One backend may keep its items elsewhere by its settings alone. Then the
// record of the one location is the target's too.
func TestMigrateToOtherSettings(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	labelled := func(label string) *Persistence {
		_, s := onKeyStore(t, path)
		return New("keys", s, backend.Config{Location: path, Path: path, Settings: backend.Settings{"label": label}}, nil)
	}
	from, to := labelled("old"), labelled("new")
	save(t, from, "x")
	if err := Migrate(t.Context(), from, to, &everything); err != nil {
		t.Fatal(err)
	}
	if got := load(t, to); got != "x" {
		t.Errorf("the target has %q", got)
	}
	if r, err := record.Read(path); err != nil || r.Backend != "keys" {
		t.Errorf("recorded: %+v, %v", r, err)
	}
}

// MSAL Extensions for Java have one lock for all caches in a directory.
func TestMigrateBetweenTwoFilesThatJavaUses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(name string) (*Persistence, *spy) {
		p, s := onDisk(t, filepath.Join(dir, name))
		p.opening.store.java = true
		return p, s
	}
	from, _ := open("a")
	to, s := open("b")
	save(t, from, "x")
	locked := 0
	s.onSave = func(_ context.Context, save func() (backend.Version, error)) (backend.Version, error) {
		if _, err := os.Stat(filepath.Join(dir, ".lockfile")); err == nil {
			locked++
		}
		return save()
	}
	ctx, cancel := context.WithTimeout(t.Context(), room)
	defer cancel()
	if err := Migrate(ctx, from, to, &everything); err != nil {
		t.Fatal(err)
	}
	if got := load(t, to); got != "x" || locked == 0 {
		t.Errorf("the target has %q, and Java's lock was held %d times", got, locked)
	}
}

// What can't be united isn't tried again and again.
func TestMigrateSaysWhatCantBeUnited(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	from, _ := onDisk(t, path)
	to, s := onKeyStore(t, path)
	save(t, from, "x")
	ctx, cancel := context.WithTimeout(t.Context(), room)
	defer cancel()
	err := Migrate(ctx, from, to, &MigrateOptions{AllowPlaintext: true, Progress: func(int, int, string) {
		save(t, from, "y")
		now, err := s.Load(ctx, "", backend.None)
		if err == nil {
			_, err = s.Store.Save(ctx, "", []byte("z"), now.Version)
		}
		if err != nil {
			t.Error(err)
		}
	}})
	if !errors.Is(err, backend.ErrConflict) || !errors.Is(err, errNotUnited) {
		t.Errorf("got %v", err)
	}
}

// What stays behind would be refused by the record.
func TestMigrateOfSomeItemsOnly(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"key": "ann", "long key": strings.Repeat("@", 60)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			from, _ := onDisk(t, path)
			to, _ := onKeyStore(t, path)
			save(t, from, "x")
			save(t, from.Key(key), "y")
			save(t, from.Key("signed out"), "z")
			if err := from.Key("signed out").Delete(t.Context()); err != nil {
				t.Fatal(err)
			}
			err := Migrate(t.Context(), from, to, &MigrateOptions{AllowPlaintext: true, Keys: []string{""}})
			if !errors.Is(err, backend.ErrInvalid) && !errors.Is(err, backend.ErrUnsupported) || !strings.Contains(err.Error(), "Keys") {
				t.Errorf("got %v", err)
			}
			if got := load(t, from.Key(key)); got != "y" {
				t.Errorf("the source has %q", got)
			}
			if err := Migrate(t.Context(), from, to, &MigrateOptions{AllowPlaintext: true, Keys: []string{"", key}}); err != nil {
				t.Error(err)
			}
		})
	}
}

// Where all is deleted, the digests of what was written go with it.
func TestMigrateRemovesTheHistory(t *testing.T) {
	t.Parallel()
	for name, elsewhere := range map[string]bool{"elsewhere": true, "one location": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempPath(t)
			c, _ := insistent(t, path)
			enter(t, c, "ann")
			done, cancel := context.WithCancel(t.Context())
			cancel()
			_ = c.Close(done)
			if _, err := os.Stat(path + historySuffix); err != nil {
				t.Fatal(err)
			}
			there := path
			if elsewhere {
				there = tempPath(t)
			}
			to, _ := onKeyStore(t, there)
			if err := Migrate(t.Context(), c.p, to, &everything); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(path + "*")
			if err != nil || slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix(f, historySuffix) }) {
				t.Errorf("left: %v, %v", files, err)
			}
		})
	}
}
