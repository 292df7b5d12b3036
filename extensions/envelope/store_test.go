package envelope_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/canary"
)

func TestNothingIsReadableInTheStore(t *testing.T) {
	t.Parallel()
	p := &place{}
	s := p.wrap(t, envelope.Fixed(key("one")), &envelope.Options{StoreID: "store"})
	v := save(t, s, "k", secretData, backend.None)
	first := load(t, p.bare(t), "k")
	if found := canary.Find(first.Data, marker); len(found) > 0 {
		t.Errorf("it shows as %v", found)
	}
	if len(canary.Find([]byte(secretData), marker)) == 0 {
		t.Error("the check is blind")
	}
	if first.Version != v {
		t.Errorf("version %q, the store's is %q", v, first.Version)
	}
	save(t, s, "k", secretData, v)
	if again := load(t, p.bare(t), "k").Data; bytes.Equal(again, first.Data) {
		t.Error("the same data gives the same ciphertext")
	}
	holds(t, p.wrap(t, envelope.Fixed(key("one")), &envelope.Options{StoreID: "store"}), "k", secretData)
}

func TestInfo(t *testing.T) {
	t.Parallel()
	p := &place{}
	p.MaxBytes = 1000
	inner := p.bare(t).Info()
	info := p.wrap(t, envelope.Fixed(key("one")), nil).Info()
	if !info.Encrypted || !strings.Contains(info.Method, "AES-256-GCM, with a key from the application") || !strings.Contains(info.Against, inner.Against) {
		t.Errorf("%+v", info)
	}
	if info.Caps != inner.Caps || info.Stamp != inner.Stamp || info.Location != inner.Location || info.MaxBytes != 801 {
		t.Errorf("%+v, inner %+v", info, inner)
	}
	p.MaxBytes = 100 // less than the envelope
	if info := p.wrap(t, envelope.Fixed(key("one")), nil).Info(); info.MaxBytes != 1 {
		t.Errorf("%+v", info)
	}
}

func TestLongestKeyIDFitsMaxBytes(t *testing.T) {
	t.Parallel()
	p := &place{}
	p.MaxBytes = 1000
	long := key("x")
	long.ID = strings.Repeat("i", 128)
	s := p.wrap(t, envelope.Fixed(long), nil)
	full := strings.Repeat("d", int(s.Info().MaxBytes))
	v := save(t, s, "k", full, backend.None)
	holds(t, s, "k", full)
	_, err := s.Save(t.Context(), "k", []byte(full+"d"), v)
	fails(t, "too much", err, backend.ErrTooLarge)
}

func TestKeysThatCantBeUsed(t *testing.T) {
	t.Parallel()
	empty := envelope.Key{ID: "one"}
	long, odd := key("x"), key("x")
	long.ID, odd.ID = strings.Repeat("i", 129), "a b"
	for name, keys := range map[string]envelope.Keys{
		"no secret": envelope.Fixed(empty), "no ID": envelope.Fixed(key("")), "long ID": envelope.Fixed(long), "odd ID": envelope.Fixed(key("one"), odd),
	} {
		p := &place{}
		s := p.wrap(t, keys, nil)
		fails(t, name, s.Ready(t.Context()), backend.ErrInvalid)
		_, err := s.Save(t.Context(), "k", []byte("x"), backend.None)
		fails(t, name, err, backend.ErrInvalid)
	}
}

func TestOldKeysRead(t *testing.T) {
	t.Parallel()
	p := &place{}
	old := p.wrap(t, envelope.Fixed(key("old")), nil)
	v := save(t, old, "k", "data", backend.None)
	both := p.wrap(t, envelope.Fixed(key("new"), key("old")), nil)
	holds(t, both, "k", "data")
	save(t, both, "k", "changed", v)
	_, err := old.Load(t.Context(), "k", backend.None)
	fails(t, "the new one by who has the old one", err, backend.ErrDecrypt)
	holds(t, p.wrap(t, envelope.Fixed(key("new")), nil), "k", "changed")
}

func TestRewrap(t *testing.T) {
	t.Parallel()
	p := &place{}
	save(t, p.wrap(t, envelope.Fixed(key("old")), nil), "k", "data", backend.None)
	both := p.wrap(t, envelope.Fixed(key("new"), key("old")), nil)
	stop := errors.New("stop")
	if _, _, err := both.Rewrap(t.Context(), "k", func() error { return stop }); !errors.Is(err, stop) {
		t.Errorf("publish: %v", err)
	}
	was, now, err := both.Rewrap(t.Context(), "k", func() error { return nil })
	if err != nil || was == now || now != load(t, p.bare(t), "k").Version {
		t.Errorf("%q to %q, %v", was, now, err)
	}
	holds(t, p.wrap(t, envelope.Fixed(key("new")), nil), "k", "data")
	if was, again, err := both.Rewrap(t.Context(), "k", func() error { return stop }); err != nil || was != now || again != now {
		t.Errorf("a second time: %q to %q, %v", was, again, err)
	}
	if was, now, err := both.Rewrap(t.Context(), "none", nil); err != nil || was != now {
		t.Errorf("nothing: %v", err)
	}
}

// A wrong key that writes beside what the right one wrote would leave a store
// that no key opens.
func TestNothingNewIsStoredWithAWrongKey(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{"main item": "", "another item, which is listed": "user"} {
		p := &place{}
		save(t, p.wrap(t, envelope.Fixed(key("right")), nil), at, "data", backend.None)
		s := p.wrap(t, envelope.Fixed(key("wrong")), nil)
		_, err := s.Save(t.Context(), "new", []byte("x"), backend.None)
		fails(t, name, err, backend.ErrDecrypt)
		if _, err := p.bare(t).Load(t.Context(), "new", backend.None); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("%s: something was stored: %v", name, err)
		}
	}
}

func TestOneForgottenItemStopsNobody(t *testing.T) {
	t.Parallel()
	p := &place{}
	save(t, p.wrap(t, envelope.Fixed(key("ancient")), nil), "", "data", backend.None)
	save(t, p.bare(t), "a", "plain", backend.None)
	s := p.wrap(t, envelope.Fixed(key("new"), key("old")), nil)
	for _, sealed := range []string{"new", "old"} {
		if _, err := p.wrap(t, envelope.Fixed(key(sealed), key("ancient")), nil).Save(t.Context(), sealed, []byte("x"), backend.None); err != nil {
			t.Fatal(err)
		}
	}
	save(t, s, "user", "data", backend.None)
}

func TestSecretsArentPrinted(t *testing.T) {
	t.Setenv("MSALEXT_TEST_KEY", "Y2FuYXJ5LTUxYzdlMGNhbmFyeS01MWM3ZTAuLi4uLi4=") // the marker and more
	p := &place{}
	s := p.wrap(t, envelope.Fixed(key("one"), key("two")), nil)
	item := newItem()
	kept := envelope.FromItem(item)
	if err := kept.CreateKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	phrase := envelope.FromPassphrase(backend.Secret(marker), nil)
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	for _, v := range []any{
		key("one"), key("one").Secret, envelope.Fixed(key("one")), envelope.Several(envelope.Fixed(key("one"))), s, phrase,
		envelope.FromEnv("MSALEXT_TEST_KEY"), []envelope.Key{key("one")}, map[string]envelope.Key{"a": key("one")}, &struct{ K envelope.Key }{key("one")},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o"} {
			if found := canary.Find([]byte(fmt.Sprintf(verb, v)), marker); len(found) > 0 {
				t.Errorf("%T shows with %s: %v", v, verb, found)
			}
		}
		logger.Info("x", "value", v)
	}
	if found := canary.Find([]byte(log.String()), marker); len(found) > 0 {
		t.Errorf("a log shows %v: %s", found, log.String())
	}
	if text := fmt.Sprint(key("one")); !strings.Contains(text, "one") || !strings.Contains(text, "[secret]") {
		t.Errorf("a key prints as %s", text)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	p := &place{}
	s := p.wrap(t, envelope.Fixed(key("one")), nil)
	v := save(t, s, "k", "data", backend.None)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	_, lerr := s.Load(t.Context(), "k", backend.None)
	_, serr := s.Save(t.Context(), "k", []byte("x"), v)
	for _, err := range []error{lerr, serr, s.Delete(t.Context(), "k", v), s.Ready(t.Context())} {
		if !errors.Is(err, backend.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}
