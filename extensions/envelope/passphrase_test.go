package envelope_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
)

// cheap makes tests quick; nobody should use it elsewhere.
var cheap = &envelope.Cost{Memory: 64, Passes: 1, Threads: 1}

func phrase(text string) *envelope.Passphrase {
	return envelope.FromPassphrase(backend.Secret(text), cheap)
}

// idOf is the key ID that is stored with an item.
func idOf(t *testing.T, p *place, key string) string {
	t.Helper()
	data := load(t, p.bare(t), key).Data
	return string(data[11 : 11+int(data[10])])
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	p := &place{}
	save(t, p.wrap(t, phrase("correct horse"), nil), "", "data", backend.None)
	s := p.wrap(t, phrase("correct horse"), nil)
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	holds(t, s, "", "data")
	save(t, s, "user", "more", backend.None)
	if a, b := idOf(t, p, ""), idOf(t, p, "user"); a != b || !strings.HasPrefix(a, "argon2id:64:1:1:") {
		t.Errorf("salts are %s and %s: each costs a derivation", a, b)
	}
	other := &place{}
	save(t, other.wrap(t, phrase("correct horse"), nil), "", "data", backend.None)
	if idOf(t, p, "") == idOf(t, other, "") {
		t.Error("two stores have one salt")
	}
}

func TestWrongPassphrase(t *testing.T) {
	t.Parallel()
	p := &place{}
	save(t, p.wrap(t, phrase("right"), nil), "", "data", backend.None)
	for _, ready := range []bool{true, false} {
		s := p.wrap(t, phrase("wrong"), nil)
		if ready {
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err) // that shows when it matters
			}
		}
		_, err := s.Load(t.Context(), "", backend.None)
		fails(t, "load", err, backend.ErrDecrypt)
		if !strings.Contains(err.Error(), "passphrase") {
			t.Errorf("got %v", err)
		}
		for _, key := range []string{"", "new"} {
			_, err = s.Save(t.Context(), key, []byte("x"), backend.None)
			fails(t, "save "+key, err, backend.ErrDecrypt)
		}
	}
	_, err := p.wrap(t, phrase(""), nil).Load(t.Context(), "", backend.None)
	fails(t, "none", err, backend.ErrInvalid)
}

func TestChangeOfPassphrase(t *testing.T) {
	t.Parallel()
	p := &place{}
	save(t, p.wrap(t, phrase("old"), nil), "", "data", backend.None)
	both := p.wrap(t, envelope.Several(phrase("new"), phrase("old")), nil)
	holds(t, both, "", "data")
	if was, now, err := both.Rewrap(t.Context(), "", nil); err != nil || was == now {
		t.Fatal(err)
	}
	holds(t, p.wrap(t, phrase("new"), nil), "", "data")
	_, err := p.wrap(t, phrase("old"), nil).Load(t.Context(), "", backend.None)
	fails(t, "the old one", err, backend.ErrDecrypt)
}

func TestFromAPassphraseToAKeyStore(t *testing.T) {
	t.Parallel()
	p, kept := &place{}, newItem()
	save(t, p.wrap(t, phrase("old"), nil), "", "data", backend.None)
	if err := envelope.FromItem(kept).CreateKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	both := p.wrap(t, envelope.Several(envelope.FromItem(kept), phrase("old")), nil)
	if _, _, err := both.Rewrap(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	holds(t, p.wrap(t, envelope.FromItem(kept), nil), "", "data")
}

// What costs less than wanted is read, and not copied.
func TestCheaperRecipesArentTakenOver(t *testing.T) {
	t.Parallel()
	p := &place{}
	save(t, p.wrap(t, phrase("p"), nil), "", "data", backend.None)
	dear := envelope.FromPassphrase(backend.Secret("p"), &envelope.Cost{Memory: 256, Passes: 2, Threads: 2})
	s := p.wrap(t, dear, nil)
	holds(t, s, "", "data")
	save(t, s, "new", "data", backend.None)
	if id := idOf(t, p, "new"); !strings.HasPrefix(id, "argon2id:256:2:2:") {
		t.Errorf("written with %s", id)
	}
}

func TestHostileRecipes(t *testing.T) {
	t.Parallel()
	whole := &place{}
	save(t, whole.wrap(t, phrase("p"), nil), "", "data", backend.None)
	stored, id := load(t, whole.bare(t), "").Data, idOf(t, whole, "")
	tail := id[len("argon2id:64:1:1"):]
	for _, hostile := range []string{
		"argon2id:4294967295:1:1" + tail, "argon2id:1048577:1:1" + tail, "argon2id:64:11:1" + tail, "argon2id:64:4294967295:1" + tail, "argon2id:1048576:10:255" + tail,
		"argon2id:64:1:17" + tail, "argon2id:64:0:1" + tail, "argon2id:64:1:0" + tail, "argon2id:0:1:1" + tail, "argon2id:7:1:1" + tail, "argon2id:-1:1:1" + tail,
		"argon2id:99999999999999999999:1:1" + tail, "argon2id:064:1:1" + tail, "argon2id:+64:1:1" + tail, "argon2id", "argon2id:::::", "argon2id:64:1:1" + tail + ":", "argon2id:64:1:1:short:" + tail[25:],
		"argon2id:64:1:1" + tail + "A", "argon2i:64:1:1" + tail, "argon2id:65:1:1" + tail,
	} {
		p := &place{}
		forged := append([]byte{}, stored[:10]...)
		forged = append(forged, byte(len(hostile)))
		forged = append(append(forged, hostile...), stored[11+len(id):]...)
		save(t, p.bare(t), "", string(forged), backend.None)
		began := time.Now()
		_, err := p.wrap(t, phrase("p"), nil).Load(t.Context(), "", backend.None)
		fails(t, hostile, err, backend.ErrDecrypt, backend.ErrCorrupt)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s took %v", hostile, took)
		}
		if got := load(t, p.bare(t), "").Data; !bytes.Equal(got, forged) {
			t.Errorf("%s: it was changed", hostile)
		}
	}
}

func TestCostsOutOfBounds(t *testing.T) {
	t.Parallel()
	for _, cost := range []envelope.Cost{{Memory: 2 << 20}, {Passes: 11}, {Threads: 17}, {Memory: 8, Threads: 2}} {
		p := &place{}
		_, err := p.wrap(t, envelope.FromPassphrase(backend.Secret("p"), &cost), nil).Save(t.Context(), "", []byte("x"), backend.None)
		fails(t, fmt.Sprint(cost), err, backend.ErrInvalid)
	}
}

// A call that is out of time leaves the work to the next one.
func TestDerivationOutlivesTheCall(t *testing.T) {
	t.Parallel()
	cost := &envelope.Cost{Memory: 64 << 10, Passes: 3, Threads: 1}
	p := &place{}
	save(t, p.wrap(t, envelope.FromPassphrase(backend.Secret("p"), cost), nil), "", "data", backend.None)
	s := p.wrap(t, envelope.FromPassphrase(backend.Secret("p"), cost), nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Load(ctx, "", backend.None); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	holds(t, s, "", "data")
	began := time.Now()
	for range 100 {
		holds(t, s, "", "data")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("100 loads took %v: each derives", took)
	}
}

// Where a passphrase takes the place of other keys, its key is derived before a
// write waits for it: a call under the lock has no time for that.
func TestReadyDerivesWhatWrites(t *testing.T) {
	t.Parallel()
	p := &place{}
	before := envelope.Fixed(key("before"))
	save(t, p.wrap(t, before, nil), "", "one", backend.None)
	now := envelope.FromPassphrase(backend.Secret("correct horse"), nil)
	if err := p.wrap(t, envelope.Several(now, before), nil).Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := now.Keys(ended); err != nil { // what isn't there would have to be waited for
		t.Errorf("%v", err)
	}
}
