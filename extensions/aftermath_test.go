package extensions_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/plugins/sqlite"
)

func put(t *testing.T, p *extensions.Persistence, data string) {
	t.Helper()
	if err := p.Save(t.Context(), []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// A key that was lost comes back: what was moved aside meanwhile is put back, and
// what was stored meanwhile isn't lost.
func TestRestoreOnceTheKeyIsBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"file", "sqlite"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where, first, second := location(t), enveloping(t, sqlite.Backend()), enveloping(t, sqlite.Backend())
			p := openWith(t, name, where, first)
			put(t, p, "one")
			closed(t, p)

			q := openWith(t, name, where, second)
			moved, err := q.Quarantine(t.Context())
			if err != nil || moved == "" {
				t.Fatalf("moved to %q, %v", moved, err)
			}
			put(t, q, "two")
			all, err := q.Quarantined(t.Context())
			if err != nil || len(all) != 1 || all[0].Name != moved || name == "sqlite" && all[0].Why != extensions.ErrDecrypt.Error() {
				t.Fatalf("listed: %+v, %v", all, err)
			}
			kept, err := q.Restore(t.Context(), moved)
			if err != nil || kept == "" {
				t.Fatalf("kept as %q, %v", kept, err)
			}
			if _, err := q.Load(t.Context()); !errors.Is(err, extensions.ErrDecrypt) {
				t.Errorf("without its key: %v", err)
			}
			closed(t, q)

			p = openWith(t, name, where, first)
			if got, err := p.Load(t.Context()); string(got) != "one" || err != nil {
				t.Errorf("with its key: %q, %v", got, err)
			}
			if all, err := p.Quarantined(t.Context()); err != nil || len(all) != 1 || all[0].Name != kept {
				t.Errorf("then listed: %+v, %v", all, err)
			}
		})
	}
}

// Nothing is left, of what can't be decrypted and of a database either.
func TestPurgeOfWhatCantBeRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"file", "sqlite"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where, first, second := location(t), enveloping(t, sqlite.Backend()), enveloping(t, sqlite.Backend())
			p := openWith(t, name, where, first)
			put(t, p, "one")
			put(t, p.Key("user"), "two")
			closed(t, p)
			if err := openWith(t, name, where, second).Purge(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			left, err := filepath.Glob(where + "*")
			if err != nil || len(left) > 0 {
				t.Errorf("left: %q, %v", left, err)
			}
			if _, err := os.Stat(first.Envelope.(*envelope.File).Path); err != nil {
				t.Errorf("the keys: %v", err)
			}
		})
	}
}

// The record names an envelope, and nobody says which keys.
func TestOpenWithoutTheEnvelope(t *testing.T) {
	t.Parallel()
	_, err := extensions.Open(t.Context(), "file+envelope", location(t), nil)
	e, ok := errors.AsType[*extensions.Error](err)
	if !ok || !errors.Is(err, extensions.ErrInvalid) || e.Hint != "set Options.Envelope" {
		t.Errorf("%v", err)
	}
}
