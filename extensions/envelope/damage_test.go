package envelope_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/canary"
)

const secretData = `{"AccessToken":{"a":{"secret":"` + marker + `"}}}`

// sealedItem is what a store holds of one item.
func sealedItem(t testing.TB) []byte {
	t.Helper()
	p := &place{}
	save(t, p.wrap(t, envelope.Fixed(key("one")), nil), "k", secretData, backend.None)
	return load(t, p.bare(t), "k").Data
}

// refused expects that what is stored can't be read, nor written over.
func refused(t testing.TB, stored []byte, keys envelope.Keys, opts *envelope.Options, at string) {
	t.Helper()
	p := &place{}
	v := save(t, p.bare(t), at, string(stored), backend.None)
	s := p.wrap(t, keys, opts)
	blob, err := s.Load(t.Context(), at, backend.None)
	if blob.Data != nil || blob.Version != backend.None || !errors.Is(err, backend.ErrDecrypt) && !errors.Is(err, backend.ErrCorrupt) {
		t.Errorf("load: %q at %q, %v", blob.Data, blob.Version, err)
	}
	_, serr := s.Save(t.Context(), at, []byte("lost"), backend.None)
	if !errors.Is(serr, backend.ErrDecrypt) && !errors.Is(serr, backend.ErrCorrupt) {
		t.Errorf("save: %v", serr)
	}
	if _, _, err := s.Rewrap(t.Context(), at, nil); !errors.Is(err, backend.ErrDecrypt) && !errors.Is(err, backend.ErrCorrupt) {
		t.Errorf("rewrap: %v", err)
	}
	if now := load(t, p.bare(t), at); now.Version != v || !bytes.Equal(now.Data, stored) {
		t.Error("what was stored has changed")
	}
	if found := canary.Find([]byte(fmt.Sprintf("%v %+v %#v %v", err, err, err, serr)), marker); len(found) > 0 {
		t.Errorf("an error shows a secret: %v", found)
	}
}

func TestEachByteFlipped(t *testing.T) {
	t.Parallel()
	whole := sealedItem(t)
	for i := range whole {
		for _, bits := range []byte{1, 0x80, 0xff} {
			broken := bytes.Clone(whole)
			broken[i] ^= bits
			refused(t, broken, envelope.Fixed(key("one")), nil, "k")
		}
	}
}

func TestEachTruncation(t *testing.T) {
	t.Parallel()
	whole := sealedItem(t)
	for n := 1; n < len(whole); n++ {
		refused(t, whole[:n], envelope.Fixed(key("one")), nil, "k")
	}
	refused(t, append(bytes.Clone(whole), 0), envelope.Fixed(key("one")), nil, "k")
	refused(t, append(bytes.Clone(whole), whole...), envelope.Fixed(key("one")), nil, "k")
}

func TestWhatBelongsElsewhere(t *testing.T) {
	t.Parallel()
	whole := sealedItem(t)
	other := key("one")
	other.Secret[31] ^= 1
	newer, algorithm := bytes.Clone(whole), bytes.Clone(whole)
	newer[8], algorithm[9] = 2, 2
	for _, c := range []struct {
		name   string
		stored []byte
		keys   envelope.Keys
		opts   *envelope.Options
		at     string
		says   string
	}{
		{"another item", whole, envelope.Fixed(key("one")), nil, "K", "another item"},
		{"another store id", whole, envelope.Fixed(key("one")), &envelope.Options{StoreID: "other"}, "k", "store id"},
		{"the id moved into the key's name", whole, envelope.Fixed(key("one")), &envelope.Options{StoreID: "k"}, "", "store id"},
		{"another key", whole, envelope.Fixed(key("two")), nil, "k", "its key one is missing"},
		{"another key of the same name", whole, envelope.Fixed(other), nil, "k", "with the key one"},
		{"plaintext", []byte(`{"AccessToken":{}}`), envelope.Fixed(key("one")), nil, "k", "Migrate"},
		{"one byte of plaintext", []byte("{"), envelope.Fixed(key("one")), nil, "k", "Migrate"},
		{"a newer format", newer, envelope.Fixed(key("one")), nil, "k", "newer"},
		{"a newer format, cut", newer[:9], envelope.Fixed(key("one")), nil, "k", "newer"},
		{"another algorithm", algorithm, envelope.Fixed(key("one")), nil, "k", "newer"},
		{"zeroes", make([]byte, 4096), envelope.Fixed(key("one")), nil, "k", "isn't encrypted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refused(t, c.stored, c.keys, c.opts, c.at)
			p := &place{}
			save(t, p.bare(t), c.at, string(c.stored), backend.None)
			_, err := p.wrap(t, c.keys, c.opts).Load(t.Context(), c.at, backend.None)
			fails(t, "load", err, backend.ErrDecrypt)
			if !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("%v doesn't say %q", err, c.says)
			}
		})
	}
}

// Terminals act on control characters, and errors end up there.
func TestHostileHeadersDontReachTheTerminal(t *testing.T) {
	t.Parallel()
	whole := sealedItem(t)
	at := bytes.Index(whole, []byte("one"))
	for _, id := range []string{"\x1b[2", "\x00\x00\x00", "a\nb", "\xff\xfe\xff", "\u202e"} {
		broken := bytes.Clone(whole)
		copy(broken[at:at+3], id)
		p := &place{}
		save(t, p.bare(t), "k", string(broken), backend.None)
		_, err := p.wrap(t, envelope.Fixed(key("one")), nil).Load(t.Context(), "k", backend.None)
		fails(t, fmt.Sprintf("%q", id), err, backend.ErrCorrupt)
		if strings.ContainsAny(err.Error(), "\x00\x1b\n\u202e") || !utf8.ValidString(err.Error()) {
			t.Errorf("%q shows", id)
		}
	}
}

func FuzzStored(f *testing.F) {
	whole := sealedItem(f)
	f.Add(whole)
	f.Add(whole[:20])
	f.Add([]byte("\x89MSALENV\x01\x01\x80"))
	f.Add([]byte("{}"))
	keys := envelope.Several(envelope.Fixed(key("one")), envelope.FromPassphrase(backend.Secret("p"), &envelope.Cost{Memory: 8, Passes: 1, Threads: 1}))
	f.Fuzz(func(t *testing.T, stored []byte) {
		if len(stored) == 0 || bytes.Contains(stored, []byte("argon2id")) { // deriving takes its time
			return
		}
		refused(t, stored, keys, nil, "K") // where not even what is whole belongs
	})
}
