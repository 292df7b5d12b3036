package extensions_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/canary"
	"github.com/msalext/msalext/internal/record"
	"github.com/msalext/msalext/plugins/file"
)

// enveloping are options for backends in an envelope, with a key file of their
// own.
func enveloping(t *testing.T, b ...backend.Backend) *extensions.Options {
	t.Helper()
	keys := &envelope.File{Path: filepath.Join(t.TempDir(), "key"), Create: true}
	return &extensions.Options{InProcess: append(b, file.Backend()), Candidates: []string{"file"}, Envelope: keys}
}

func openWith(t *testing.T, name, where string, o *extensions.Options) *extensions.Persistence {
	t.Helper()
	p, err := extensions.Open(t.Context(), name, where, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, p) })
	return p
}

func buildWith(t *testing.T, where string, o *extensions.Options) *extensions.Persistence {
	t.Helper()
	p, err := extensions.BuildPersistence(t.Context(), where, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, p) })
	return p
}

// inFiles looks for a text in all files below a directory.
func inFiles(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if len(canary.Find(data, text)) > 0 {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	const secret = "canary-77aa01"
	where, o := location(t), enveloping(t)
	p := buildWith(t, where, o)
	if p.Backend() != "file+envelope" || !p.IsEncrypted() {
		t.Errorf("%s, encrypted %v", p.Backend(), p.IsEncrypted())
	}
	protection := p.Protection().String()
	for _, part := range []string{"AES-256-GCM, with a key from the file", "other users", "this program", "linked into"} {
		if !strings.Contains(protection, part) {
			t.Errorf("no %q in %s", part, protection)
		}
	}
	items := map[string]string{"": secret, "user": "x" + secret}
	fill(t, p, items)
	if err := p.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if found := inFiles(t, filepath.Dir(where), secret); found != nil {
		t.Errorf("it shows in %v", found)
	}
	for _, again := range []*extensions.Persistence{buildWith(t, where, o), openWith(t, "file", where, o), openWith(t, "file+envelope", where, o)} {
		if d := cmp.Diff(items, holds(t, again, "", "user")); d != "" {
			t.Error(d)
		}
	}
	if was, err := record.Read(where); err != nil || was != (record.Record{Backend: "file+envelope", Encrypted: true}) {
		t.Errorf("recorded %+v, %v", was, err)
	}
}

// kept are a directory's files, without those of locks.
func kept(t *testing.T, where string) map[string]string { return tree(t, filepath.Dir(where)) }

// Neither way may a program take what lies there for something else: not for
// damage, and not for its own.
func TestEnvelopedAndPlainDontMix(t *testing.T) {
	t.Parallel()
	for _, b := range []backend.Backend{file.Backend(), sealed{}} {
		name := b.Describe().Name
		with := enveloping(t, sealed{})
		with.Candidates = []string{name}
		without := &extensions.Options{InProcess: with.InProcess, Candidates: with.Candidates}
		for from, o := range map[string][2]*extensions.Options{"enveloped": {with, without}, "plain": {without, with}} {
			t.Run(name+"/"+from, func(t *testing.T) {
				t.Parallel()
				where := location(t)
				fill(t, openWith(t, name, where, o[0]), threeItems)
				before := kept(t, where)
				p := openWith(t, name, where, o[1])
				for _, key := range []string{"", "alice", "new"} {
					_, err := p.Key(key).Load(t.Context())
					for _, err := range []error{err, p.Key(key).Save(t.Context(), []byte("x")), p.Key(key).Delete(t.Context())} {
						if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrBackendChanged) || !errors.As(err, &e) || !strings.Contains(e.Hint, "Migrate") {
							t.Errorf("%q: %v", key, err)
						}
					}
				}
				if _, err := extensions.BuildPersistence(t.Context(), where, o[1]); !errors.Is(err, backend.ErrBackendChanged) {
					t.Errorf("build: %v", err)
				}
				if d := cmp.Diff(before, kept(t, where)); d != "" {
					t.Error("it was changed:", d)
				}
			})
		}
	}
}

// A file that was brought there without its record isn't taken over either.
func TestPlainFileWithoutARecord(t *testing.T) {
	t.Parallel()
	where := location(t)
	fill(t, openWith(t, "file", where, &extensions.Options{InProcess: []backend.Backend{file.Backend()}}), threeItems)
	if err := os.Remove(record.Path(where)); err != nil {
		t.Fatal(err)
	}
	before := kept(t, where)
	o := enveloping(t)
	for what, open := range map[string]func() (*extensions.Persistence, error){
		"open":  func() (*extensions.Persistence, error) { return extensions.Open(t.Context(), "file", where, o) },
		"build": func() (*extensions.Persistence, error) { return extensions.BuildPersistence(t.Context(), where, o) },
	} {
		p, err := open()
		closed(t, p)
		if !errors.Is(err, backend.ErrDecrypt) || !strings.Contains(err.Error(), "Migrate") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if d := cmp.Diff(before, kept(t, where)); d != "" {
		t.Error("it was changed:", d)
	}
}

func TestMigrateIntoAndOutOfAnEnvelope(t *testing.T) {
	t.Parallel()
	plain := &extensions.Options{InProcess: []backend.Backend{file.Backend(), sealed{}}}
	with := enveloping(t, sealed{})
	first, second, third := location(t), location(t), location(t)
	fill(t, openWith(t, "file", first, plain), threeItems)
	for _, step := range []struct {
		from, to     *extensions.Persistence
		place, left  string
		mayBePlain   bool
		keptBy, want string
	}{
		{openWith(t, "file", first, plain), openWith(t, "file", second, with), second, first, false, "file+envelope", ""},
		{openWith(t, "file", second, with), openWith(t, "sealed", second, with), second, "", false, "sealed+envelope", ""},
		{openWith(t, "sealed", second, with), openWith(t, "file", third, plain), third, second, true, "file", ""},
	} {
		o := &extensions.MigrateOptions{DeleteSource: true, AllowPlaintext: step.mayBePlain}
		if err := extensions.Migrate(t.Context(), step.from, step.to, o); err != nil {
			t.Fatal(step.keptBy, err)
		}
		if d := cmp.Diff(threeItems, holds(t, step.to, keysOf(threeItems)...)); d != "" {
			t.Error(step.keptBy, d)
		}
		if was, err := record.Read(step.place); err != nil || was.Backend != step.keptBy {
			t.Errorf("recorded %+v, %v", was, err)
		}
	}
	if err := extensions.Migrate(t.Context(), openWith(t, "file", third, plain), openWith(t, "file", third, with), nil); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("in place: %v", err)
	}
}

func TestRewrapAll(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"file", "sealed"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where, o := location(t), enveloping(t, sealed{})
			keys := o.Envelope.(*envelope.File)
			running := openWith(t, name, where, o)
			fill(t, running, threeItems)
			if err := keys.Rotate(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := kept(t, where)
			if err := running.Key("alice").Rewrap(t.Context()); err != nil {
				t.Fatal(err)
			}
			one := kept(t, where)
			if d := len(changed(before, one)); d != 1 {
				t.Errorf("rewrapping one changed %d files", d)
			}
			if err := running.RewrapAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := len(changed(one, kept(t, where))); d != 2 {
				t.Errorf("rewrapping the others changed %d files", d)
			}
			if err := keys.Retire(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(threeItems, holds(t, openWith(t, name, where, o), keysOf(threeItems)...)); d != "" {
				t.Error(d)
			}
			all := kept(t, where)
			if err := running.RewrapAll(t.Context()); err != nil || len(changed(all, kept(t, where))) > 0 {
				t.Errorf("a second time: %v", err)
			}
		})
	}
	if err := open(t, file.Backend(), location(t)).RewrapAll(t.Context()); !errors.Is(err, backend.ErrUnsupported) {
		t.Errorf("without an envelope: %v", err)
	}
}

// changed names the files that hold something else than before.
func changed(before, after map[string]string) (names []string) {
	for name, data := range after {
		if before[name] != data {
			names = append(names, name)
		}
	}
	return names
}

// The keys of a cache in a file, in an item of a key store.
func TestKeysInAKeyStore(t *testing.T) {
	t.Parallel()
	where := location(t)
	keys := open(t, sealed{}, where+".keys")
	o := &extensions.Options{InProcess: []backend.Backend{file.Backend()}, Candidates: []string{"file"}, Envelope: envelope.FromItem(keys)}
	p := buildWith(t, where, o)
	fill(t, p, threeItems)
	if method := p.Protection().Method; !strings.Contains(method, "the key store sealed") {
		t.Errorf("method %q", method)
	}
	if d := cmp.Diff(threeItems, holds(t, buildWith(t, where, o), keysOf(threeItems)...)); d != "" {
		t.Error(d)
	}
	if err := keys.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := kept(t, where)
	lost := buildWith(t, where, o)
	_, lerr := lost.Load(t.Context())
	for _, err := range []error{lerr, lost.Save(t.Context(), []byte("x")), lost.Key("new").Save(t.Context(), []byte("x"))} {
		if !errors.Is(err, backend.ErrDecrypt) || !strings.Contains(err.Error(), "Quarantine") {
			t.Errorf("the key is gone: %v", err)
		}
	}
	if _, err := keys.Load(t.Context()); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("another key was made: %v", err)
	}
	if d := cmp.Diff(before, kept(t, where)); d != "" {
		t.Error("it was changed:", d)
	}
	startAnew(t, lost, where)
}

// Where items are no files, the envelope moves what it can't read.
func TestStartAnewInAStoreWithoutFiles(t *testing.T) {
	t.Parallel()
	where, o := location(t), enveloping(t, sealed{})
	fill(t, openWith(t, "sealed", where, o), threeItems)
	o.Envelope = &envelope.File{Path: filepath.Join(t.TempDir(), "key"), Create: true} // the old one is lost
	p := openWith(t, "sealed", where, o)
	for key := range threeItems {
		if _, err := p.Key(key).Load(t.Context()); !errors.Is(err, backend.ErrDecrypt) {
			t.Fatalf("%q: %v", key, err)
		}
		movedTo, err := p.Key(key).Quarantine(t.Context())
		if err != nil || !strings.HasPrefix(movedTo, key+".corrupt-") {
			t.Fatalf("%q: moved to %q, %v", key, movedTo, err)
		}
		if again, err := p.Key(key).Quarantine(t.Context()); err != nil || again != "" {
			t.Errorf("%q: again: %q, %v", key, again, err)
		}
	}
	anew := map[string]string{"": "anew", "alice": "anew"}
	fill(t, p, anew)
	if d := cmp.Diff(anew, holds(t, openWith(t, "sealed", where, o), keysOf(threeItems)...)); d != "" {
		t.Error(d)
	}
}

// startAnew is what people do whose key is gone for good.
func startAnew(t *testing.T, p *extensions.Persistence, where string) {
	t.Helper()
	dead, err := os.ReadFile(where)
	if err != nil {
		t.Fatal(err)
	}
	movedTo, err := p.Quarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(movedTo); err != nil || !bytes.Equal(now, dead) {
		t.Errorf("it isn't at %s: %v", movedTo, err)
	}
	if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("afterwards: %v", err)
	}
}

// Keys that can't be had must never lead to another backend, nor to plaintext.
func TestKeysInTroubleDontStepDown(t *testing.T) {
	t.Parallel()
	for _, kind := range backend.Kinds() {
		if kind == backend.ErrNotFound { // no key yet
			continue
		}
		t.Run(kind.Error(), func(t *testing.T) {
			t.Parallel()
			where := location(t)
			o := withVault(&vault{})
			o.Envelope = envelope.FromItem(openWith(t, "vault", location(t), withVault(&vault{load: &backend.Error{Kind: kind, Hint: "mend it"}})))
			p, err := extensions.BuildPersistence(t.Context(), where, o)
			closed(t, p)
			var se *extensions.SelectionError
			if !errors.As(err, &se) || len(se.Candidates) != 1 || se.Candidates[0].Backend != "vault+envelope" || se.Candidates[0].Remedy != "mend it" {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(where); !errors.Is(err, os.ErrNotExist) {
				t.Error("something was stored")
			}
			if p, err = extensions.Open(t.Context(), "file", where, o); err == nil {
				t.Error("it opens without a key")
			}
			closed(t, p)
		})
	}
}

func TestOptionsThatContradictAnEnvelope(t *testing.T) {
	t.Parallel()
	keys := envelope.Fixed(envelope.NewKey())
	for name, o := range map[string]*extensions.Options{
		"two envelopes":             {Envelope: keys, FallbackToKernelKeyring: true},
		"two envelopes, by name":    {Envelope: keys, Candidates: []string{"file+kernel-keyring"}},
		"a preset":                  {Envelope: keys, Preset: "python"},
		"a preset and the keyring":  {FallbackToKernelKeyring: true, Preset: "python"},
		"an envelope without a key": {Envelope: envelope.Fixed(envelope.Key{})},
	} {
		o.InProcess = []backend.Backend{file.Backend()}
		for what, open := range map[string]func() (*extensions.Persistence, error){
			"open": func() (*extensions.Persistence, error) { return extensions.Open(t.Context(), "file", location(t), o) },
			"build": func() (*extensions.Persistence, error) {
				return extensions.BuildPersistence(t.Context(), location(t), o)
			},
		} {
			if name == "an envelope without a key" && what == "build" { // whose platform store has no plugin here
				continue
			}
			p, err := open()
			closed(t, p)
			if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrInvalid) || !errors.As(err, &e) || e.Hint == "" {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}

func TestEnvelopeIDs(t *testing.T) {
	t.Parallel()
	where, o := location(t), enveloping(t)
	o.EnvelopeID = "app one"
	fill(t, openWith(t, "file", where, o), map[string]string{"": "data"})
	other := *o
	other.EnvelopeID = "app two"
	if _, err := openWith(t, "file", where, &other).Load(t.Context()); !errors.Is(err, backend.ErrDecrypt) || !strings.Contains(fmt.Sprint(err), "EnvelopeID") {
		t.Errorf("got %v", err)
	}
}
