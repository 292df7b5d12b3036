package persist

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/plugins/file"
)

// keyring is a key store: it lists, takes msalext's lock, and has a signal file.
type keyring struct{ backend.Store }

func (k keyring) Info() backend.Info {
	i := k.Store.Info()
	i.Stamp, i.Caps = backend.StampSignal, backend.CanList
	return i
}

func (k keyring) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return k.Store.(backend.Lister).Keys(ctx, prefix)
}

func onKeyring(t *testing.T) *Persistence {
	t.Helper()
	path := tempPath(t)
	c := backend.Config{Location: path, Path: path}
	s, err := (&memory.Backend{}).Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	p := New("keyring", keyring{s}, c, nil)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// kinds are the stores that differ in where they keep what was moved aside.
var kinds = map[string]func(*testing.T) *Persistence{
	"file":     func(t *testing.T) *Persistence { return ready(t, "file", file.Backend(), tempPath(t)) },
	"keyring":  onKeyring,
	"database": func(t *testing.T) *Persistence { return ready(t, "memory", &memory.Backend{}, tempPath(t)) },
}

func quarantined(t *testing.T, p *Persistence) []Quarantined {
	t.Helper()
	all, err := p.Quarantined(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func moveAside(t *testing.T, p *Persistence) string {
	t.Helper()
	name, err := NewPersistedTokenCache(p, nil).Quarantine(t.Context())
	if err != nil || name == "" {
		t.Fatalf("moved to %q, %v", name, err)
	}
	return name
}

func TestQuarantinedAndRestore(t *testing.T) {
	t.Parallel()
	longKey := strings.Repeat("long/", 40) // its file's name is a hash
	for kind, open := range kinds {
		for name, key := range map[string]string{"main": "", "user": "ann@example.com", "long": longKey} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				p := open(t)
				if all := quarantined(t, p); len(all) != 0 {
					t.Errorf("at first: %v", all)
				}
				item := p.Key(key)
				save(t, item, rubbish)
				began := time.Now().Truncate(time.Second)
				at := moveAside(t, item)
				all := quarantined(t, p)
				if len(all) != 1 || all[0].Name != at || all[0].Key != key || all[0].Size != int64(len(rubbish)) ||
					all[0].Moved.Before(began) || all[0].Why == "" || all[0].Why == usable {
					t.Fatalf("listed: %+v", all)
				}

				// What is there now takes its place.
				save(t, item, string(cacheOf("ann")))
				kept, err := item.Restore(t.Context(), at)
				if err != nil || kept == "" || load(t, item) != rubbish {
					t.Fatalf("kept as %q, %v", kept, err)
				}
				all = quarantined(t, p)
				if len(all) != 1 || all[0].Name != kept || all[0].Key != key || all[0].Why != usable {
					t.Fatalf("then listed: %+v", all)
				}
				if _, err := item.Restore(t.Context(), at); !errors.Is(err, backend.ErrNotFound) {
					t.Errorf("a second time: %v", err)
				}
				if err := item.Delete(t.Context()); err != nil {
					t.Fatal(err)
				}
				if nothing, err := item.Restore(t.Context(), kept); err != nil || nothing != "" || load(t, item) != string(cacheOf("ann")) {
					t.Errorf("back: %q, %v", nothing, err)
				}
				if all := quarantined(t, p); len(all) != 0 {
					t.Errorf("at last: %v", all)
				}
			})
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	for kind, open := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			save(t, p, rubbish)
			at := moveAside(t, p)
			save(t, p, "now")
			for _, name := range []string{"", "x", p.Location(), at + "x", "..", at + "/..", strings.Replace(at, asideMark, ".key-a"+asideMark, 1)} {
				if _, err := p.Restore(t.Context(), name); !errors.Is(err, backend.ErrInvalid) {
					t.Errorf("%q: %v", name, err)
				}
			}
			if _, err := p.Key("another").Restore(t.Context(), at); !errors.Is(err, backend.ErrInvalid) {
				t.Errorf("another item's copy: %v", err)
			}
			if got := load(t, p); got != "now" || len(quarantined(t, p)) != 1 {
				t.Errorf("now %q, %v", got, quarantined(t, p))
			}
		})
	}
}

// A file that others made for us to restore is no copy of ours.
func TestRestoreOfALink(t *testing.T) {
	t.Parallel()
	p := kinds["file"](t)
	save(t, p, string(cacheOf("ann")))
	at := p.Location() + ".corrupt-20250101T000000Z"
	elsewhere := filepath.Join(t.TempDir(), "x")
	if err := errors.Join(os.WriteFile(elsewhere, []byte("x"), 0o600), os.Link(elsewhere, at)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Restore(t.Context(), at); !errors.Is(err, backend.ErrDenied) {
		t.Errorf("a hard link: %v", err)
	}
	if got := load(t, p); got != string(cacheOf("ann")) || len(quarantined(t, p)) != 1 {
		t.Errorf("%q, %v", got, quarantined(t, p))
	}
}

// Whoever watches hears of it, as of a change by others.
func TestRestoreIsNoticed(t *testing.T) {
	t.Parallel()
	for kind, open := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			save(t, p, rubbish)
			at := moveAside(t, p)
			c := NewPersistedTokenCache(p, nil)
			save(t, p, string(cacheOf("ann")))
			if got := signedIn(t, c); got != "ann" {
				t.Fatal(got)
			}
			if _, err := p.Restore(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			if _, err := c.View(t.Context()); !errors.Is(err, backend.ErrCorrupt) {
				t.Errorf("after the damage is back: %v", err)
			}
		})
	}
}

func TestQuarantinedWithoutAList(t *testing.T) {
	t.Parallel()
	p, _ := onKeyStore(t, tempPath(t))
	if all, err := p.Quarantined(t.Context()); !errors.Is(err, backend.ErrUnsupported) || all != nil {
		t.Errorf("%v, %v", all, err)
	}
}

func TestDivide(t *testing.T) {
	t.Parallel()
	moved := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, want := range map[string]string{
		"P.corrupt-20250102T030405Z": "P", "P.corrupt-20250102T030405Z-12": "P",
		"P.corrupt-20240102T030405Z.corrupt-20250102T030405Z": "P.corrupt-20240102T030405Z",
	} {
		of, at, ok := divide(name)
		if diff := cmp.Diff([]any{want, moved, true}, []any{of, at, ok}); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, name := range []string{"", "P", "P.corrupt-", "P.corrupt-20259902T030405Z", "P.corrupt-20250102T030405Z-123"} {
		if _, _, ok := divide(name); ok {
			t.Errorf("%s is divided", name)
		}
	}
}
