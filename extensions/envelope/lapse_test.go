package envelope_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
)

// reboots are keys that go at each reboot. The ID of each names its boot.
type reboots struct {
	boot string
	keys map[string]envelope.Key
}

func (r *reboots) Keys(context.Context) (envelope.Key, []envelope.Key, error) {
	k, ok := r.keys[r.boot]
	if !ok {
		return envelope.Key{}, nil, &backend.Error{Op: "read", Kind: backend.ErrNotFound}
	}
	return k, nil, nil
}

func (r *reboots) CreateKey(context.Context) error {
	r.keys[r.boot] = key(r.boot)
	return nil
}

func (r *reboots) Lapsed(id string) bool { return id != r.boot }

// reboot is what a reboot does to keys: they are gone, and others will be made.
func reboot(boot string) *reboots { return &reboots{boot, map[string]envelope.Key{}} }

func TestLapsedKeys(t *testing.T) {
	t.Parallel()
	p := &place{}
	var log bytes.Buffer
	opts := &envelope.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	before := p.wrap(t, reboot("boot1"), opts)
	for _, key := range []string{"", "user", "untouched"} {
		save(t, before, key, "one", backend.None)
	}
	dead := load(t, p.bare(t), "user").Data

	s := p.wrap(t, reboot("boot2"), opts)
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	for range 3 {
		if b, err := s.Load(t.Context(), "user", backend.None); !errors.Is(err, backend.ErrNotFound) || b.Version != backend.None {
			t.Fatalf("%+v, %v", b, err)
		}
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings: %s", n, log.String())
	}
	if was, now, err := s.Rewrap(t.Context(), "user", nil); err != nil || was != now {
		t.Errorf("rewrap: %v", err)
	}
	if err := s.Delete(t.Context(), "user", backend.None); err != nil {
		t.Errorf("delete of what isn't there any more: %v", err)
	}
	if now := load(t, p.bare(t), "user").Data; !bytes.Equal(now, dead) {
		t.Error("the dead ciphertext was changed before anything took its place")
	}
	if _, err := s.Save(t.Context(), "user", []byte("x"), "some version"); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("save from a wrong base: %v", err)
	}
	v := save(t, s, "user", "two", backend.None)
	holds(t, s, "user", "two")
	save(t, s, "user", "two again", v)
	if aside := load(t, p.bare(t), "user.lapsed").Data; !bytes.Equal(aside, dead) {
		t.Error("the dead ciphertext isn't what lies aside")
	}
	for info, err := range s.Keys(t.Context(), "") {
		if err != nil || strings.Contains(info.Key, "lapsed") {
			t.Errorf("listed: %+v, %v", info, err)
		}
	}
	last := p.wrap(t, reboot("boot3"), opts)
	save(t, last, "user", "three", backend.None) // what lies aside gives way to the next
	holds(t, last, "user", "three")
	if aside := load(t, p.bare(t), "user.lapsed").Data; bytes.Equal(aside, dead) {
		t.Error("the ciphertext of the boot before isn't what lies aside")
	}
}

func TestAKeyLostWithinItsBoot(t *testing.T) {
	t.Parallel()
	p := &place{}
	save(t, p.wrap(t, reboot("boot1"), nil), "", "one", backend.None)
	s := p.wrap(t, reboot("boot1"), nil)
	_, err := s.Load(t.Context(), "", backend.None)
	fails(t, "load", err, backend.ErrDecrypt)
	for _, key := range []string{"", "new"} {
		_, err = s.Save(t.Context(), key, []byte("x"), backend.None)
		fails(t, "save", err, backend.ErrDecrypt)
	}
}
