package envelope_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
)

func TestFirstSaveMakesTheKey(t *testing.T) {
	t.Parallel()
	p, kept := &place{}, newItem()
	s := p.wrap(t, envelope.FromItem(kept), nil)
	if err := s.Ready(t.Context()); err != nil || kept.data != nil {
		t.Fatalf("ready: %v, and the item holds %q", err, kept.data)
	}
	if _, err := s.Load(t.Context(), "", backend.None); !errors.Is(err, backend.ErrNotFound) || kept.data != nil {
		t.Fatalf("load: %v, and the item holds %q", err, kept.data)
	}
	save(t, s, "", "data", backend.None)
	if !bytes.HasPrefix(kept.data, []byte(`{"msalext-keys":1,"keys":[{"id":"`)) {
		t.Errorf("the item holds %d bytes: not a key set", len(kept.data))
	}
	holds(t, p.wrap(t, envelope.FromItem(kept), nil), "", "data")
}

func TestKeysAreReadOnce(t *testing.T) {
	t.Parallel()
	p, kept := &place{}, newItem()
	save(t, p.wrap(t, envelope.FromItem(kept), nil), "", "data", backend.None)
	s := p.wrap(t, envelope.FromItem(kept), nil)
	before := kept.loads
	for range 10 {
		holds(t, s, "", "data")
		save(t, s, "", "data", load(t, s, "").Version)
	}
	if kept.loads != before+1 {
		t.Errorf("the key was read %d times", kept.loads-before)
	}
}

func TestManyFirstSavesAtOnce(t *testing.T) {
	t.Parallel()
	p, kept := &place{}, newItem()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { save(t, p.wrap(t, envelope.FromItem(kept), nil), fmt.Sprint(i), "data", backend.None) })
	}
	wg.Wait()
	s := p.wrap(t, envelope.FromItem(kept), nil)
	for i := range 20 {
		holds(t, s, fmt.Sprint(i), "data")
	}
	if n := strings.Count(string(kept.data), `"id"`); n != 1 {
		t.Errorf("%d keys were made", n)
	}
}

// A key store that was emptied, and ciphertext that is still there.
func TestALostKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"", "user"} {
		p, kept := &place{}, newItem()
		save(t, p.wrap(t, envelope.FromItem(kept), nil), at, "data", backend.None)
		lost := kept.data
		kept.data = nil
		s := p.wrap(t, envelope.FromItem(kept), nil)
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		_, err := s.Load(t.Context(), at, backend.None)
		fails(t, "load", err, backend.ErrDecrypt)
		for _, key := range []string{at, "new"} {
			_, err := s.Save(t.Context(), key, []byte("new"), backend.None)
			fails(t, "save "+key, err, backend.ErrDecrypt)
		}
		if kept.data != nil {
			t.Error("a new key was made")
		}
		kept.data = lost // brought back
		holds(t, s, at, "data")
		save(t, s, "new", "new", backend.None)
	}
}

func TestASourceInTroubleIsNoLostKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		is   error
		want error
	}{
		{backend.ErrUnavailable, backend.ErrUnavailable}, {backend.ErrLocked, backend.ErrLocked}, {backend.ErrDenied, backend.ErrDenied},
		{backend.ErrTimeout, backend.ErrTimeout}, {backend.ErrPluginNotFound, backend.ErrPluginNotFound},
		{errors.New("anything"), backend.ErrUnavailable}, {backend.ErrCorrupt, backend.ErrDecrypt}, {backend.ErrConflict, backend.ErrDecrypt},
		{fmt.Errorf("%w: %w", backend.ErrUnavailable, backend.ErrNotFound), backend.ErrUnavailable},
	} {
		p, kept := &place{}, newItem()
		save(t, p.wrap(t, envelope.FromItem(kept), nil), "", "data", backend.None)
		kept.err = &backend.Error{Op: "load", Backend: "item", Kind: c.want, Err: c.is, Hint: "mend it"}
		if errors.Is(c.is, backend.ErrCorrupt) || errors.Is(c.is, backend.ErrConflict) {
			kept.err = &backend.Error{Op: "load", Backend: "item", Kind: c.is, Hint: "mend it"}
		}
		s := p.wrap(t, envelope.FromItem(kept), nil)
		_, lerr := s.Load(t.Context(), "", backend.None)
		_, serr := s.Save(t.Context(), "new", []byte("x"), backend.None)
		for what, err := range map[string]error{"ready": s.Ready(t.Context()), "load": lerr, "save": serr} {
			fails(t, fmt.Sprintf("%v: %s", c.is, what), err, c.want)
			if !strings.Contains(err.Error(), "mend it") {
				t.Errorf("%s lost its hint: %v", what, err)
			}
		}
		kept.err = nil
		holds(t, s, "", "data")
	}
}

func TestEndedContextWhileKeysAreRead(t *testing.T) {
	t.Parallel()
	p, kept := &place{}, newItem()
	save(t, p.wrap(t, envelope.FromItem(kept), nil), "", "data", backend.None)
	kept.err = context.Canceled
	_, err := p.wrap(t, envelope.FromItem(kept), nil).Load(t.Context(), "", backend.None)
	if !errors.Is(err, context.Canceled) || backend.KindOf(err) != nil {
		t.Errorf("got %v", err)
	}
}

func TestDamagedKeyItems(t *testing.T) {
	t.Parallel()
	p, kept := &place{}, newItem()
	save(t, p.wrap(t, envelope.FromItem(kept), nil), "", "data", backend.None)
	whole := string(kept.data)
	secret := whole[strings.Index(whole, `"secret":"`)+10 : strings.LastIndex(whole, `"`)]
	for name, data := range map[string]string{
		"half": whole[:len(whole)/2], "text": "hello", "newer": strings.Replace(whole, `keys":1`, `keys":2`, 1),
		"no keys": `{"msalext-keys":1,"keys":[]}`, "no format": strings.Replace(whole, `"msalext-keys":1,`, "", 1),
		"short secret": strings.Replace(whole, secret, secret[4:], 1), "odd secret": strings.Replace(whole, secret[:4], "****", 1),
		"twice":        strings.Replace(whole, `[{`, `[`+whole[strings.Index(whole, "[")+1:strings.Index(whole, "]")]+`,{`, 1),
		"huge":         strings.Repeat(" ", 1<<20) + whole,
		"empty secret": `{"msalext-keys":1,"keys":[{"id":"a","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]}`,
	} {
		kept.data = []byte(data)
		s := p.wrap(t, envelope.FromItem(kept), nil)
		_, err := s.Load(t.Context(), "", backend.None)
		fails(t, name, err, backend.ErrDecrypt)
		if strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%s: the secret shows in %v", name, err)
		}
		_, err = s.Save(t.Context(), "new", []byte("x"), backend.None)
		fails(t, name, err, backend.ErrDecrypt)
		if string(kept.data) != data {
			t.Errorf("%s: it was written over", name)
		}
		if err := envelope.FromItem(kept).Rotate(t.Context()); err == nil || string(kept.data) != data {
			t.Errorf("%s: rotate: %v", name, err)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	p, kept := &place{}, newItem()
	keys := envelope.FromItem(kept)
	running := p.wrap(t, keys, nil)
	v := save(t, running, "a", "one", backend.None)
	save(t, running, "b", "two", backend.None)
	if err := envelope.FromItem(kept).Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := p.wrap(t, envelope.FromItem(kept), nil)
	save(t, other, "a", "by the new key", v)
	holds(t, running, "a", "by the new key") // looks for the key again
	for _, key := range []string{"a", "b"} {
		if _, _, err := running.Rewrap(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := keys.Retire(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := p.wrap(t, envelope.FromItem(kept), nil)
	holds(t, last, "a", "by the new key")
	holds(t, last, "b", "two")
	if n := strings.Count(string(kept.data), `"id"`); n != 1 {
		t.Errorf("%d keys are left", n)
	}
	if err := envelope.FromItem(newItem()).Retire(t.Context()); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("nothing to retire: %v", err)
	}
}

// A program that only writes new items hears of a rotation too.
func TestWritersAskAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, kept := &place{}, newItem()
		s := p.wrap(t, envelope.FromItem(kept), nil)
		save(t, s, "a", "data", backend.None)
		if err := envelope.FromItem(kept).Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		save(t, s, "b", "data", backend.None)
		if err := envelope.FromItem(kept).Retire(t.Context()); err != nil {
			t.Fatal(err)
		}
		holds(t, p.wrap(t, envelope.FromItem(kept), nil), "b", "data")

		kept.err = backend.ErrUnavailable // for the moment
		time.Sleep(6 * time.Minute)
		save(t, s, "c", "data", backend.None)
		kept.err = nil
		holds(t, p.wrap(t, envelope.FromItem(kept), nil), "c", "data")
	})
}

func TestTooManyKeys(t *testing.T) {
	t.Parallel()
	kept := newItem()
	keys := envelope.FromItem(kept)
	var err error
	for range 65 {
		if err = keys.Rotate(t.Context()); err != nil {
			break
		}
	}
	fails(t, "65 keys", err, backend.ErrTooLarge)
	if _, others, err := keys.Keys(t.Context()); err != nil || len(others) != 63 {
		t.Errorf("%d others, %v", len(others), err)
	}
}
