package extensions_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/internal/filelock"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

func TestMigrateBetweenPlugins(t *testing.T) {
	t.Parallel()
	host := hostWith(filePlugin(t))
	defer closeHost(t, host)
	here, there := location(t), location(t)
	stores := [2]*extensions.Persistence{}
	for i, where := range []string{here, there} {
		p, err := extensions.Open(t.Context(), "file", where, &extensions.Options{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		defer closed(t, p)
		stores[i] = p
	}
	fill(t, stores[0], threeItems)
	if err := extensions.Migrate(t.Context(), stores[0], stores[1], &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: true}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(threeItems, holds(t, open(t, file.Backend(), there), keysOf(threeItems)...)); d != "" {
		t.Error(d)
	}
	if left, err := filepath.Glob(here + "*"); err != nil || slices.ContainsFunc(left, func(f string) bool { return !strings.HasSuffix(f, ".lockqueue") }) {
		t.Errorf("left at the source: %v, %v", left, err)
	}
}

// fuse kills the process, as kill -9 does, once it has burnt down: right before
// a call of a store, or right after one.
type fuse struct{ left int }

func (f *fuse) burn() {
	if f.left--; f.left < 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// deadly is a backend whose stores share a fuse.
type deadly struct {
	backend.Backend
	*fuse
}

func (d deadly) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	s, err := d.Backend.Open(ctx, c)
	if l, lists := s.(backend.Lister); lists {
		return struct {
			deadlyStore
			backend.Lister
		}{deadlyStore{s, d.fuse}, l}, err
	}
	return deadlyStore{s, d.fuse}, err
}

type deadlyStore struct {
	backend.Store
	*fuse
}

func (s deadlyStore) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	s.burn()
	defer s.burn()
	return s.Store.Load(ctx, key, have)
}

func (s deadlyStore) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	s.burn()
	defer s.burn()
	return s.Store.Save(ctx, key, data, base)
}

func (s deadlyStore) Delete(ctx context.Context, key string, base backend.Version) error {
	s.burn()
	defer s.burn()
	return s.Store.Delete(ctx, key, base)
}

// migrateChild moves everything to the sealed store there, and dies at a step.
func migrateChild(here, there, step string) error {
	left, err := strconv.Atoi(step)
	if err != nil {
		return err
	}
	f := &fuse{left}
	ctx := context.Background()
	o := &extensions.Options{InProcess: []backend.Backend{deadly{file.Backend(), f}, deadly{sealed{}, f}}}
	from, err := extensions.Open(ctx, "file", here, o)
	if err != nil {
		return err
	}
	to, err := extensions.Open(ctx, "sealed", there, o)
	if err != nil {
		return err
	}
	return extensions.Migrate(ctx, from, to, &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: true})
}

func TestMigrateKilledAtEachStep(t *testing.T) {
	t.Parallel()
	for _, moved := range []bool{true, false} {
		t.Run(fmt.Sprint("one location ", moved), func(t *testing.T) {
			t.Parallel()
			for step := 0; ; step++ {
				here := location(t)
				there := here
				if !moved {
					there = location(t)
				}
				fill(t, open(t, file.Backend(), here), threeItems)
				out, err := testproc.Command(t, "migrate", here, there, strconv.Itoa(step)).CombinedOutput()
				if err == nil {
					if step < 40 {
						t.Errorf("the migration has %d steps: the test proves nothing", step)
					}
					return
				}
				if !strings.Contains(err.Error(), "killed") {
					t.Fatalf("step %d: %v: %s", step, err, out)
				}
				usableAfterKill(t, step, here, there)
			}
		})
	}
}

// usableAfterKill sees that what an application would open is whole, and that
// another Migrate brings the matter to its end.
func usableAfterKill(t *testing.T, step int, here, there string) {
	t.Helper()
	old, new := open(t, file.Backend(), here), open(t, sealed{}, there)
	whole := func(p *extensions.Persistence) bool {
		return cmp.Equal(threeItems, holds(t, p, keysOf(threeItems)...))
	}
	switch {
	case here != there:
		if !whole(old) && !whole(new) {
			t.Fatalf("step %d: neither is whole", step)
		}
	case recorded(t, here) == "file" && !whole(old), recorded(t, here) == "sealed" && !whole(new):
		t.Fatalf("step %d: the store that is recorded isn't whole: %s", step, recorded(t, here))
	}
	err := extensions.Migrate(t.Context(), old, new, &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: true})
	if err != nil && !(here != there && errors.Is(err, backend.ErrNotFound)) {
		t.Fatalf("step %d: again: %v", step, err)
	}
	if d := cmp.Diff(threeItems, holds(t, new, keysOf(threeItems)...)); d != "" {
		t.Fatalf("step %d: at the end: %s", step, d)
	}
	if here == there {
		return
	}
	if left := holds(t, old, keysOf(threeItems)...); len(left) > 0 || recorded(t, here) != "" {
		t.Errorf("step %d: left at the source: %v, recorded as %q", step, left, recorded(t, here))
	}
}

// signInChild signs people in, one by one, until that is refused or it has
// done so often. It prints those that were stored.
func signInChild(where, prefix string) error {
	ctx := context.Background()
	p, err := extensions.Open(ctx, "file", where, &extensions.Options{InProcess: []backend.Backend{file.Backend()}})
	if err != nil {
		return err
	}
	for i := range 200 {
		name := prefix + strconv.Itoa(i)
		err := p.Update(ctx, func(old []byte) ([]byte, error) { return []byte(people(append(signedIn(old), name)...)), nil })
		if errors.Is(err, backend.ErrBackendChanged) {
			return nil
		} else if err != nil {
			return err
		}
		fmt.Println(name)
	}
	return nil
}

func TestMigrateWhileOthersSignIn(t *testing.T) {
	t.Parallel()
	for _, moved := range []bool{true, false} {
		t.Run(fmt.Sprint("one location ", moved), func(t *testing.T) {
			t.Parallel()
			here := location(t)
			there := here
			if !moved {
				there = location(t)
			}
			from, to := open(t, file.Backend(), here), open(t, sealed{}, there)
			fill(t, from, map[string]string{"": people("eve")})
			var outs [3]string
			var writers sync.WaitGroup
			for i := range outs {
				writers.Go(func() { outs[i] = testproc.Run(t, testproc.Command(t, "sign in", here, fmt.Sprintf("p%d-", i))) })
			}
			eventually(t, "somebody signs in", func() bool {
				data, err := from.Load(t.Context())
				return err == nil && len(signedIn(data)) > 5
			})
			if err := extensions.Migrate(t.Context(), from, to, &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: true}); err != nil {
				t.Error(err)
			}
			writers.Wait()
			if t.Failed() {
				return
			}
			data, err := to.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, name := range signedIn(data) {
				got[name] = true
			}
			if !moved { // they go on at the source
				rest, err := from.Load(t.Context())
				if err != nil && !errors.Is(err, backend.ErrNotFound) {
					t.Fatal(err)
				}
				for _, name := range signedIn(rest) {
					got[name] = true
				}
			}
			stored := strings.Fields("eve " + strings.Join(outs[:], " "))
			for _, name := range stored {
				if !got[name] {
					t.Errorf("%s is lost", name)
				}
			}
			t.Logf("%d signed in, %d of them found", len(stored), len(got))
		})
	}
}

// Migrations that cross each other neither wait for each other for ever nor
// lose anybody.
func TestMigrateInOppositeDirections(t *testing.T) {
	t.Parallel()
	a, b := location(t), location(t)
	fill(t, open(t, file.Backend(), a), map[string]string{"": people("a")})
	fill(t, open(t, sealed{}, b), map[string]string{"": people("b")})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for range 3 {
		for _, back := range []bool{false, true} {
			from, to := open(t, file.Backend(), a), open(t, sealed{}, b)
			if back {
				from, to = to, from
			}
			all.Go(func() {
				for range 10 {
					if err := extensions.Migrate(ctx, from, to, &extensions.MigrateOptions{AllowPlaintext: true}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	for _, p := range []*extensions.Persistence{open(t, file.Backend(), a), open(t, sealed{}, b)} {
		data, err := p.Load(t.Context())
		if err != nil || !slices.Equal(signedIn(data), []string{"a", "b"}) {
			t.Errorf("%s has %s, %v", p.Backend(), data, err)
		}
	}
}

// At one location only one of the two can have its way. Whichever it is, the
// store that is recorded then has everything.
func TestMigrateInOppositeDirectionsAtOneLocation(t *testing.T) {
	t.Parallel()
	where := location(t)
	fill(t, open(t, file.Backend(), where), threeItems)
	var all sync.WaitGroup
	for _, back := range []bool{false, true, false, true} {
		from, to := open(t, file.Backend(), where), open(t, sealed{}, where)
		if back {
			from, to = to, from
		}
		all.Go(func() {
			for range 10 {
				err := extensions.Migrate(t.Context(), from, to, &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: true})
				if err != nil && !errors.Is(err, backend.ErrBackendChanged) && !errors.Is(err, backend.ErrConflict) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	p := open(t, file.Backend(), where)
	if recorded(t, where) == "sealed" {
		p = open(t, sealed{}, where)
	}
	if d := cmp.Diff(threeItems, holds(t, p, keysOf(threeItems)...)); d != "" {
		t.Errorf("%s: %s", p.Backend(), d)
	}
}

// Several processes that start at once may all try to migrate.
func TestMigrateManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	where := location(t)
	fill(t, open(t, file.Backend(), where), threeItems)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { testproc.Run(t, testproc.Command(t, "migrate", where, where, "100000")) })
	}
	all.Wait()
	if d := cmp.Diff(threeItems, holds(t, open(t, sealed{}, where), keysOf(threeItems)...)); d != "" {
		t.Error(d)
	}
}

// Who waits for one lock doesn't keep the other from those who want it.
func TestMigrateWaitsForALockWithoutHoldingTheOther(t *testing.T) {
	t.Parallel()
	for _, turned := range []bool{false, true} { // whichever lock comes first
		t.Run(fmt.Sprint("turned ", turned), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			places := []string{dir + "/a", dir + "/b"}
			if turned {
				slices.Reverse(places)
			}
			fill(t, open(t, file.Backend(), places[0]), map[string]string{"": people("a")})
			locked := make(chan struct{}, 100) // one for each time that a Migrate has the source's lock
			from, err := extensions.Open(t.Context(), "file", places[0], &extensions.Options{
				InProcess: []backend.Backend{file.Backend()},
				Trace:     &persist.Trace{LockWait: func(persist.Event) { locked <- struct{}{} }},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer closed(t, from)
			to := open(t, sealed{}, places[1])
			lock, err := filelock.Acquire(t.Context(), places[1], filelock.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Release()
			impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := extensions.Migrate(impatient, from, to, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("with little time: %v", err)
			}
			for len(locked) > 0 {
				<-locked
			}
			var all sync.WaitGroup
			all.Go(func() {
				if err := extensions.Migrate(t.Context(), from, to, nil); err != nil {
					t.Error(err)
				}
			})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if !turned { // else it waits for the other lock first
				<-locked
			}
			err = open(t, file.Backend(), places[0]).Update(ctx, func(old []byte) ([]byte, error) { return []byte(people("a", "b")), nil })
			if err != nil {
				t.Errorf("somebody else: %v", err)
			}
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
			all.Wait()
			if data, err := to.Load(t.Context()); err != nil || !slices.Equal(signedIn(data), []string{"a", "b"}) {
				t.Errorf("%s, %v", data, err)
			}
		})
	}
}
