package persist

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/plugins/file"
)

// The keys of a store whose writers changed keys: one is lost, one is old.
var lostKey, oldKey, newKey = envelope.NewKey(), envelope.NewKey(), envelope.NewKey()

// enveloped is a store in an envelope, which items with the lost key and with the
// old one are in.
func enveloped(t *testing.T, look func(backend.Store) backend.Store) (p *Persistence, under backend.Store) {
	t.Helper()
	path := tempPath(t)
	c := backend.Config{Location: path, Path: path}
	inner, err := (&memory.Backend{}).Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	under = look(inner)
	for key, keys := range map[string]envelope.Keys{"": envelope.Fixed(oldKey, lostKey), "a": envelope.Fixed(lostKey, oldKey)} {
		save(t, New("kept", envelope.Wrap(under, keys, nil), c, nil).Key(key), string(cacheOf("ann")))
	}
	p = New("kept", envelope.Wrap(under, envelope.Fixed(newKey, oldKey), nil), c, nil)
	t.Cleanup(func() { _ = p.Close() })
	return p, under
}

// looks are the stores that keep what was moved aside under keys.
var looks = map[string]func(backend.Store) backend.Store{
	"keyring":  func(s backend.Store) backend.Store { return keyring{s} },
	"database": func(s backend.Store) backend.Store { return s },
}

// lostAside moves what the lost key encrypted aside.
func lostAside(t *testing.T, item *Persistence) string {
	t.Helper()
	name, err := item.Quarantine(t.Context())
	if err != nil || !asideKey().MatchString(name) {
		t.Fatalf("moved to %q, %v", name, err)
	}
	return name
}

func TestRewrapAllBesideALostCopy(t *testing.T) {
	t.Parallel()
	for kind, look := range looks {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p, under := enveloped(t, look)
			if err := p.RewrapAll(t.Context()); !errors.Is(err, backend.ErrDecrypt) {
				t.Errorf("with an item that can't be read: %v", err)
			}
			at := lostAside(t, p.Key("a"))
			if err := p.RewrapAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			alone := New("kept", envelope.Wrap(under, envelope.Fixed(newKey), nil), p.opening.store.config, nil)
			if got := load(t, alone); got != string(cacheOf("ann")) {
				t.Errorf("with the new key alone: %q", got)
			}
			if all := quarantined(t, p); len(all) != 1 || all[0].Name != at {
				t.Errorf("in quarantine: %+v", all)
			}
		})
	}
}

func TestMigrateBesideALostCopy(t *testing.T) {
	t.Parallel()
	for kind, look := range looks {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p, _ := enveloped(t, look)
			at := lostAside(t, p.Key("a"))
			to := ready(t, "file", file.Backend(), tempPath(t))
			named := &MigrateOptions{AllowPlaintext: true, Keys: []string{"", at}}
			if err := Migrate(t.Context(), p, to, named); !errors.Is(err, backend.ErrDecrypt) {
				t.Errorf("asked for by its name: %v", err)
			}
			if err := Migrate(t.Context(), p, to, &MigrateOptions{AllowPlaintext: true, DeleteSource: true}); err != nil {
				t.Fatal(err)
			}
			if got := load(t, to); got != string(cacheOf("ann")) {
				t.Errorf("the target has %q", got)
			}
			if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("the source still has it: %v", err)
			}
			if all := quarantined(t, p); len(all) != 1 || all[0].Name != at {
				t.Errorf("in quarantine: %+v", all)
			}
			if left := filesIn(t, filepath.Dir(p.Location())); !slices.Contains(left, "cache.msalext") {
				t.Errorf("the source's record is gone, and a copy is there: %q", left)
			}
		})
	}
}

// A location that changes its backend may leave such a copy behind.
func TestMigrateInPlaceBesideALostCopy(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]string{"all": nil, "named": {""}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := enveloped(t, looks["keyring"])
			lostAside(t, p.Key("a"))
			to := ready(t, "file", file.Backend(), p.Location())
			if err := Migrate(t.Context(), p, to, &MigrateOptions{AllowPlaintext: true, Keys: keys}); err != nil {
				t.Fatal(err)
			}
			if got := load(t, to); got != string(cacheOf("ann")) {
				t.Errorf("the target has %q", got)
			}
		})
	}
}

// Where nobody can tell that all items were encrypted anew, none is: else their key
// would be removed.
func TestRewrapAllOfItemsThatArentTold(t *testing.T) {
	t.Parallel()
	for name, stamp := range map[string]backend.Stamp{"no list": backend.StampNone, "a hash for a name": backend.StampSignal} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blind := func(s backend.Store) backend.Store {
				return &spy{Store: s, info: func(i backend.Info) backend.Info {
					i.Stamp, i.Caps = stamp, backend.CanCAS
					return i
				}}
			}
			p, under := enveloped(t, blind)
			if stamp == backend.StampSignal {
				save(t, p.Key(strings.Repeat("long", 50)), "x")
			}
			before, _ := under.Load(t.Context(), "", backend.None)
			err := p.RewrapAll(t.Context())
			if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrUnsupported) || !errors.As(err, &e) || !strings.Contains(err.Error(), "Rewrap") {
				t.Errorf("%v", err)
			}
			if now, _ := under.Load(t.Context(), "", backend.None); now.Version != before.Version {
				t.Error("an item was encrypted anew")
			}
			if err := p.Rewrap(t.Context()); err != nil {
				t.Errorf("one: %v", err)
			}
		})
	}
}
