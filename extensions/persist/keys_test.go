package persist

import (
	"context"
	"errors"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/plugins/file"
)

// ready is a persistence over a store as it is, with all its powers.
func ready(t *testing.T, name string, b backend.Backend, path string) *Persistence {
	t.Helper()
	c := backend.Config{Location: path, Path: path}
	s, err := b.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	p := New(name, s, c, nil)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func keysOf(t *testing.T, p *Persistence, prefix string) (keys []string, last error) {
	t.Helper()
	for info, err := range p.Keys(t.Context(), prefix) {
		switch {
		case last != nil:
			t.Errorf("%q, %v came after an error", info.Key, err)
		case err != nil:
			last = err
		default:
			keys = append(keys, info.Key)
		}
	}
	slices.Sort(keys)
	return keys, last
}

func wantKeys(t *testing.T, p *Persistence, prefix string, want ...string) {
	t.Helper()
	keys, err := keysOf(t, p, prefix)
	slices.Sort(want)
	if diff := cmp.Diff(want, keys); diff != "" || err != nil {
		t.Errorf("%s, prefix %q: %v\n%s", p.Backend(), prefix, err, diff)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]backend.Backend{"file": file.Backend(), "memory": &memory.Backend{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := ready(t, name, b, tempPath(t))
			wantKeys(t, p, "")
			keys := []string{"", "user/a", "user/b", "User/c", "\xff\x00/..", strings.Repeat("long", 2500), "a.lockfile", "probe-x"}
			for _, key := range keys {
				save(t, p.Key(key), "item")
			}
			if err := p.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantKeys(t, p, "", keys...)
			wantKeys(t, p.Key("user/a"), "user/", "user/a", "user/b")
			for info, err := range p.Keys(t.Context(), "user/a") {
				if err != nil || info.Size != 4 || time.Since(info.Modified).Abs() > time.Hour {
					t.Errorf("%+v, %v", info, err)
				}
			}
			for range p.Keys(t.Context(), "") {
				break
			}
			for _, key := range keys[1:] {
				if err := p.Key(key).Delete(t.Context()); err != nil {
					t.Error(err)
				}
			}
			wantKeys(t, p, "", "")
		})
	}
}

// TestKeysHidesWhatNoProgramStored: probes of processes that were killed, and
// damage that was moved aside.
func TestKeysHidesWhatNoProgramStored(t *testing.T) {
	t.Parallel()
	p := ready(t, "memory", &memory.Backend{}, tempPath(t))
	save(t, p.Key("user"), "{damaged")
	c := NewPersistedTokenCache(p.Key("user"), nil)
	movedTo, err := c.Quarantine(t.Context())
	if err != nil || !strings.HasPrefix(movedTo, "user.corrupt-") {
		t.Fatalf("%q, %v", movedTo, err)
	}
	save(t, p.Key(newProbeKey()), "probe")
	save(t, p.Key("user.corrupt"), "a key of the program's own")
	wantKeys(t, p, "", "user.corrupt")

	f := ready(t, "file", file.Backend(), tempPath(t))
	long := strings.Repeat("x", 200)
	save(t, f.Key(long), "{damaged")
	if _, err := NewPersistedTokenCache(f.Key(long), nil).Quarantine(t.Context()); err != nil {
		t.Fatal(err)
	}
	save(t, f.Key(newProbeKey()), "probe")
	save(t, f.Key(movedTo), "a key of the program's own, since a file is moved as such")
	wantKeys(t, f, "", movedTo)
}

func TestKeysThatCantBeListed(t *testing.T) {
	t.Parallel()
	mute, _ := onDisk(t, tempPath(t)) // its store has no such method
	_, err := keysOf(t, mute, "")
	if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrUnsupported) || !errors.As(err, &e) || e.Hint == "" {
		t.Errorf("without the power: %v", err)
	}
	if _, err := keysOf(t, ready(t, "memory", &memory.Backend{Locked: true}, tempPath(t)), ""); !errors.Is(err, backend.ErrLocked) {
		t.Errorf("locked: %v", err)
	}
	p := ready(t, "file", file.Backend(), tempPath(t))
	save(t, p, "item")
	other := ready(t, "other", file.Backend(), p.Location())
	if keys, err := keysOf(t, other, ""); !errors.Is(err, backend.ErrBackendChanged) || keys != nil {
		t.Errorf("another backend's place: %q, %v", keys, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := keysOf(t, p, ""); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	broken := errors.New("no such store")
	if _, err := keysOf(t, Later(func() (*Persistence, error) { return nil, broken }), ""); !errors.Is(err, broken) {
		t.Errorf("never opened: %v", err)
	}
}

// TestUnknownKeyIsToldOnce, after all that is known.
func TestUnknownKeyIsToldOnce(t *testing.T) {
	t.Parallel()
	p := ready(t, "file", file.Backend(), tempPath(t))
	long := strings.Repeat("x", 200)
	save(t, p.Key(long), "item")
	save(t, p.Key("z"), "item")
	if err := os.Remove(backend.PathFor(p.Location(), long) + ".name"); err != nil {
		t.Fatal(err)
	}
	keys, err := keysOf(t, p, "")
	if diff := cmp.Diff([]string{"z"}, keys); diff != "" || !errors.Is(err, backend.ErrCorrupt) {
		t.Errorf("%v\n%s", err, diff)
	}
	save(t, p.Key(long), "changed")
	wantKeys(t, p, "", long, "z")
}

// sluggish is a store whose list pauses before each item.
type sluggish struct {
	backend.Store
	pause time.Duration
	deaf  bool // just stops when its context ends
}

func (s sluggish) Keys(ctx context.Context, _ string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		for _, key := range []string{"a", "b"} {
			select {
			case <-time.After(s.pause):
			case <-ctx.Done():
				if !s.deaf {
					yield(backend.KeyInfo{}, ctx.Err())
				}
				return
			}
			if !yield(backend.KeyInfo{Key: key}, nil) {
				return
			}
		}
	}
}

func TestSilenceEndsAList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		pause     time.Duration
		deaf      bool
		limit     time.Duration // of the caller; 0: none
		patience  time.Duration // that the caller takes with each key
		keys      int
		wantError error
	}{
		{name: "slow, and never silent for long", pause: 50 * time.Second, keys: 2},
		{name: "a caller that takes its time", patience: time.Hour, keys: 2},
		{name: "silent", pause: 2 * time.Minute, wantError: backend.ErrTimeout},
		{name: "silent, and without an error of its own", pause: 2 * time.Minute, deaf: true, wantError: backend.ErrTimeout},
		{name: "the caller's deadline", pause: 20 * time.Second, limit: 30 * time.Second, keys: 1, wantError: context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, err := (&memory.Backend{}).Open(t.Context(), backend.Config{})
				if err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if c.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.limit)
					defer cancel()
				}
				n := 0
				for _, got := range New("slow", sluggish{s, c.pause, c.deaf}, backend.Config{}, nil).Keys(ctx, "") {
					if err = got; err == nil {
						n++
					}
					time.Sleep(c.patience)
				}
				if n != c.keys || !errors.Is(err, c.wantError) {
					t.Errorf("%d keys, %v", n, err)
				}
			})
		})
	}
}
