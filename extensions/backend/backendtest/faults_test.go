package backendtest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
)

// bending is the reference backend with one thing bent.
type bending struct {
	*memory.Backend
	bend func(sound, *sync.Map) backend.Store
	had  *sync.Map // of what the bent stores make notes
}

func (b bending) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	s, err := b.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return b.bend(s.(sound), b.had), nil
}

type bentHarness struct {
	*Opener
	memory *memory.Backend
}

func (h bentHarness) OpenLocked(t T) backend.Store {
	h.memory.Locked = true
	defer func() { h.memory.Locked = false }()
	return h.Open(t)
}

const secret = "hunter2&hunter3"

func bentBy(bend func(sound, *sync.Map) backend.Store) bentHarness {
	m := &memory.Backend{}
	o := &Opener{Backend: bending{m, bend, new(sync.Map)}, NewConfig: func(t T) backend.Config {
		return backend.Config{Path: t.TempDir(), Secrets: map[string]backend.Secret{"password": backend.Secret(secret)}}
	}}
	return bentHarness{o, m}
}

// Each fault, and exactly the cases that find it: the one that is named for it
// first, and those where it can't help but show too.
func TestEachFaultIsFound(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	tests := []struct {
		name  string
		bend  func(sound, *sync.Map) backend.Store
		found []string
	}{
		{"nothing", func(s sound, had *sync.Map) backend.Store { return s }, nil},
		{"ignores base", func(s sound, had *sync.Map) backend.Store { return ignorant{s} }, []string{
			"overwrites from a wrong base", "overwrites what should be absent", "creates over a base that is gone",
			"misses a change by another store", "lets two writers win",
		}},
		{"ignores base in Delete", func(s sound, had *sync.Map) backend.Store { return deleter{s} }, []string{
			"deletes from a wrong base", "misses a change by another store",
		}},
		{"compares and saves in two steps", func(s sound, had *sync.Map) backend.Store { return hasty{s} }, []string{
			"lets two writers win",
		}},
		{"returns the old version", func(s sound, had *sync.Map) backend.Store { return stale{s} }, []string{"names another version than Load"}},
		{"says unchanged of old versions", func(s sound, had *sync.Map) backend.Store { return forgetful{s, had} }, []string{"says unchanged of changed bytes"}},
		{"keeps the caller's data", func(s sound, had *sync.Map) backend.Store { return borrower{s, had} }, []string{"keeps the slice that Save got"}},
		{"hands out its data", func(s sound, had *sync.Map) backend.Store { return lender{s, had} }, []string{"hands out its own slice"}},
		{"swallows the context", func(s sound, had *sync.Map) backend.Store { return deaf{s} }, []string{
			"ignores a cancelled context", "ignores a passed deadline",
		}},
		{"loses others on delete", func(s sound, had *sync.Map) backend.Store { return sweeper{s} }, []string{"deletes other items too"}},
		{"cuts at 4 MiB", func(s sound, had *sync.Map) backend.Store { return cutter{s, 4 << 20} }, []string{"alters 4 MiB + 1 B", "alters 16 MiB"}},
		{"merges the case of keys", func(s sound, had *sync.Map) backend.Store { return renamer{s, lower} }, []string{
			"ignores the case of keys", "hides items from Keys", "ignores the prefix in Keys",
		}},
		{"cuts keys", func(s sound, had *sync.Map) backend.Store {
			return renamer{s, func(key string) string { return key[:min(len(key), 255)] }}
		}, []string{"cuts long keys", "hides items from Keys"}},
		{"announces Keys without", func(s sound, had *sync.Map) backend.Store { return boaster{s, s, s, s, s} }, []string{"announces what it can't do"}},
		{"hides powers", func(s sound, had *sync.Map) backend.Store { return modest{s} }, []string{"does what it doesn't announce"}},
		{"shows the data in errors", func(s sound, had *sync.Map) backend.Store { return talker{s} }, []string{"shows stored bytes in errors"}},
		{"shows a secret", func(s sound, had *sync.Map) backend.Store { return tattler{s, secret} }, []string{"shows secret settings"}},
		{"returns bare errors", func(s sound, had *sync.Map) backend.Store { return plain{s} }, []string{
			"returns errors without kind, operation or backend",
		}},
		{"reuses versions", func(s sound, had *sync.Map) backend.Store { return recycler{s, had} }, []string{"gives different bytes one version"}},
		{"hangs in Close", func(s sound, had *sync.Map) backend.Store { return clinger{s, new(sync.WaitGroup)} }, []string{"hangs in Close"}},
		{"works after Close", func(s sound, had *sync.Map) backend.Store { return undead{s} }, []string{
			"answers after Close", "breaks calls when closed under them",
		}},
		{"fails the second Close", func(s sound, had *sync.Map) backend.Store { return fragile{s, new(atomic.Bool)} }, []string{"fails to close twice"}},
		{"watches late", func(s sound, had *sync.Map) backend.Store { return drowsy{s} }, []string{"misses the last change in Watch"}},
		{"leaks goroutines", func(s sound, had *sync.Map) backend.Store { return leaky{s, end} }, []string{"leaves goroutines behind after Watch"}},
		{"lists everything", func(s sound, had *sync.Map) backend.Store { return generous{s} }, []string{"ignores the prefix in Keys"}},
		{"lists by number", func(s sound, had *sync.Map) backend.Store { return counting{s} }, []string{"loses count in Keys"}},
		{"drops the ttl", func(s sound, had *sync.Map) backend.Store { return eternal{s} }, []string{"forgets the ttl at Save"}},
		{"writes in two steps", func(s sound, had *sync.Map) backend.Store { return torn{s} }, []string{
			"shows half-written items", "shows half-written items to another store",
		}},
		{"ignores its lock", func(s sound, had *sync.Map) backend.Store { return open{s} }, []string{
			"works while locked", "ignores the context in Unlock",
		}},
	}
	// Most of the time goes into waiting, so more run at once than there are
	// processors.
	found := make([][]string, len(tests))
	slots := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for i, tt := range tests {
		wg.Go(func() {
			slots <- struct{}{}
			found[i] = findings(t, i == 0 || strings.Contains(tt.name, "MiB"), tt.bend)
			<-slots
		})
	}
	wg.Wait()
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			slices.Sort(tt.found)
			if diff := cmp.Diff(tt.found, found[i]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// findings are the names of the cases that find something. Megabytes take most
// of the time, and few faults have to do with them.
func findings(t *testing.T, large bool, bend func(sound, *sync.Map) backend.Store) (names []string) {
	t.Helper()
	for _, c := range cases(limits{patience: 3 * time.Second}) {
		if !large && strings.Contains(c.Name, "MiB") {
			continue
		}
		if faults := record(t, c, bentBy(bend)); len(faults) > 0 {
			names = append(names, c.Name)
			t.Logf("%s: %s", c.Name, faults[0])
		}
	}
	slices.Sort(names)
	return names
}

// lower changes ASCII letters only, as file systems and databases do that
// don't know Unicode.
func lower(key string) string {
	b := []byte(key)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
