//go:build redis

package redis

import (
	"fmt"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func listed(t *testing.T, s backend.Store, prefix string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for info, err := range s.(backend.Lister).Keys(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		if all[info.Key] {
			t.Errorf("%q is listed twice", info.Key)
		}
		all[info.Key] = true
	}
	return all
}

// Loading and saving are uses, looking isn't; what Expire set stays.
func TestTimeToLive(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	s := open(t, backend.Settings{"address": server.address(), "ttl": "1h"}, nil)
	item := func(key string) string { return s.(*store).place.names.of(key) }
	left := func(key string) time.Duration {
		ms, _ := server.do(t, "pttl", item(key)).(int64)
		return time.Duration(ms) * time.Millisecond
	}
	const renewed = 59 * time.Minute
	v := save(t, s, "k", "data", backend.None)
	if got := left("k"); got < renewed {
		t.Errorf("after the first save %v are left", got)
	}
	use := map[string]func() error{
		"load": func() error { _, err := s.Load(t.Context(), "k", backend.None); return err },
		"load of what is at hand": func() error {
			blob, err := s.Load(t.Context(), "k", v)
			if err == nil && !blob.Unchanged {
				err = fmt.Errorf("%+v", blob)
			}
			return err
		},
		"save": func() (err error) { v, err = s.Save(t.Context(), "k", []byte("more"), v); return err },
	}
	for what, do := range use {
		server.do(t, "pexpire", item("k"), 3_000_000)
		if err := do(); err != nil {
			t.Error(what, err)
		}
		if got := left("k"); got < renewed {
			t.Errorf("after a %s %v are left", what, got)
		}
	}
	server.do(t, "pexpire", item("k"), 3_500_000)
	if err := use["load"](); err != nil || left("k") > renewed {
		t.Errorf("a use soon after another renews: %v are left, %v", left("k"), err)
	}
	if _, err := s.(*store).look(t.Context(), "k"); err != nil || left("k") > renewed {
		t.Errorf("looking renews: %v are left, %v", left("k"), err)
	}
	for ttl, kept := range map[time.Duration]func(time.Duration) bool{
		time.Minute: func(d time.Duration) bool { return d <= time.Minute && d > 0 },
		0:           func(d time.Duration) bool { return d < 0 },
	} {
		if err := s.(backend.Expirer).Expire(t.Context(), "k", ttl); err != nil {
			t.Fatal(err)
		}
		for what, do := range use {
			if err := do(); err != nil || !kept(left("k")) {
				t.Errorf("Expire in %v, then a %s: %v are left, %v", ttl, what, left("k"), err)
			}
		}
	}
}

// With TLS nothing of what is stored crosses in clear; without, all does.
func TestTransport(t *testing.T) {
	t.Parallel()
	const marker = "marker-of-what-is-stored"
	a := newAuthority(t)
	secure := startSecure(t, a)
	settings, secrets := secureSettings(t, secure, a)
	for name, open := range map[string]func() (*proxy, backend.Config){
		"TLS": func() (*proxy, backend.Config) {
			p := newProxy(t, secure.address())
			return p, unused(t.TempDir(), merged(settings, "address", p.address()), secrets)
		},
		"none": func() (*proxy, backend.Config) {
			p := newProxy(t, startServer(t).address())
			return p, unused(t.TempDir(), backend.Settings{"address": p.address()}, nil)
		},
	} {
		p, config := open()
		s, err := Backend().Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		v := save(t, s, marker, marker, backend.None)
		if _, err := s.Load(t.Context(), marker, backend.None); err != nil {
			t.Error(err)
		}
		if err := s.Delete(t.Context(), marker, v); err != nil {
			t.Error(err)
		}
		_ = s.Close()
		shown := false
		for _, text := range []string{marker, appPassword} {
			shown = shown || p.shows(text)
		}
		if shown != (name == "none") {
			t.Errorf("%s: in clear is %v", name, shown)
		}
	}
}
