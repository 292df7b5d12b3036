package pluginhost

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func TestKilledBetweenCalls(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "store")
	for name, use := range map[string]func() error{
		"load":   func() error { _, err := s.Load(t.Context(), "", ""); return known(err) },
		"save":   func() error { _, err := s.Save(t.Context(), "", []byte("x"), ""); return err },
		"delete": func() error { return s.Delete(t.Context(), "", "") },
		"check":  func() error { return s.(backend.Checker).Check(t.Context()) },
		"expire": func() error { return s.(backend.Expirer).Expire(t.Context(), "", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Save(t.Context(), "", []byte("x"), ""); err != nil {
				t.Fatal(err)
			}
			pid := pidOf(t, s)
			p := h.service("store").cur
			kill(pid)
			eventually(t, "the host notices", func() bool { return !p.usable() })
			if err := use(); err != nil {
				t.Errorf("on a new process: %v", err)
			}
			if pidOf(t, s) == pid {
				t.Error("the same process")
			}
			eventually(t, "the old process is waited for", func() bool { return !there(pid) })
		})
	}
}

// known drops what a healthy store may say.
func known(err error) error {
	if errors.Is(err, backend.ErrNotFound) {
		return nil
	}
	return err
}

func TestDiesInCall(t *testing.T) {
	for name, c := range map[string]struct {
		use      func(context.Context, backend.Store) error
		repeated bool
	}{
		"load":  {func(ctx context.Context, s backend.Store) error { _, err := s.Load(ctx, "", ""); return known(err) }, true},
		"check": {func(ctx context.Context, s backend.Store) error { return s.(backend.Checker).Check(ctx) }, true},
		"keys":  {listTwo, true},
		"save": {func(ctx context.Context, s backend.Store) error {
			_, err := s.Save(ctx, "", []byte("new"), "")
			return err
		}, false},
		"delete": {func(ctx context.Context, s backend.Store) error { return s.Delete(ctx, "", "") }, false},
		"expire": {func(ctx context.Context, s backend.Store) error { return s.(backend.Expirer).Expire(ctx, "", 0) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			s, path := mustOpen(t, h, "store")
			if err := os.WriteFile(path+"."+name, []byte("once"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := c.use(t.Context(), s)
			if c.repeated && err != nil {
				t.Errorf("not repeated: %v", err)
			}
			if !c.repeated {
				if !errors.Is(err, backend.ErrUnavailable) || !errors.Is(err, ErrLost) {
					t.Errorf("error: %v", err)
				}
				if err := known(c.use(t.Context(), s)); err != nil && !errors.Is(err, backend.ErrUnavailable) {
					t.Errorf("the next call: %v", err)
				}
			}
		})
	}
}

func listTwo(ctx context.Context, s backend.Store) error {
	var keys []string
	for k, err := range s.(backend.Lister).Keys(ctx, "") {
		if err != nil {
			return err
		}
		keys = append(keys, k.Key)
	}
	if len(keys) != 2 {
		return errors.New("keys twice or missing")
	}
	return nil
}

func TestSaveIsNotRepeated(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, path := mustOpen(t, h, "store")
	if err := os.WriteFile(path+".save", []byte("once"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), "", []byte("one"), ""); !errors.Is(err, ErrLost) {
		t.Fatalf("Save: %v", err)
	}
	blob, err := s.Load(t.Context(), "", "")
	if err != nil || string(blob.Data) != "one" {
		t.Errorf("what the lost call did: %q %v", blob.Data, err)
	}
	if _, err := s.Save(t.Context(), "", []byte("two"), "one"); err != nil {
		t.Errorf("the next Save: %v", err)
	}
}

func TestDiesAgainAndAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, path := mustOpen(t, h, "store")
	if err := os.WriteFile(path+".load", []byte("always"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.Load(t.Context(), "", ""); !errors.Is(err, backend.ErrUnavailable) || !errors.Is(err, ErrLost) {
			t.Errorf("error: %v", err)
		}
	}
	service := h.service("store")
	service.mu.Lock()
	losses, wait := service.losses, service.backOff()
	service.mu.Unlock()
	if losses != 6 || wait <= 0 {
		t.Errorf("%d losses, then a pause of %v: one restart a call is allowed", losses, wait)
	}
	if err := os.Remove(path + ".load"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), "", ""); known(err) != nil {
		t.Errorf("once it works again: %v", err)
	}
}

func TestDiesWhileOpening(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	b, err := h.Backend(t.Context(), "store")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Open(t.Context(), backend.Config{Path: "/nowhere", Settings: backend.Settings{"open": "crash"}})
	if !errors.Is(err, ErrLost) {
		t.Errorf("error: %v", err)
	}
}

func TestHangingPlugin(t *testing.T) {
	t.Parallel()
	h := newHost(t, &Options{CallTimeout: time.Second})
	s, _ := mustOpen(t, h, "store")
	pid := pidOf(t, s)
	hang := func() {
		t.Helper()
		_, err := s.Load(t.Context(), "hang", "")
		if !errors.Is(err, backend.ErrTimeout) {
			t.Errorf("error: %v", err)
		}
	}
	hang()
	if pidOf(t, s) != pid {
		t.Error("ended after one missed deadline")
	}
	hang()
	hang()
	eventually(t, "the process is ended after two", func() bool { return !there(pid) })
	ctx, cancel := context.WithTimeout(t.Context(), soon) // a start may take longer than CallTimeout
	defer cancel()
	if _, err := s.Load(ctx, "", ""); known(err) != nil {
		t.Errorf("the next call: %v", err)
	}
}

func TestCallersOwnDeadline(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "store")
	pid := pidOf(t, s)
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_, err := s.Load(ctx, "slow", "")
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, backend.ErrTimeout) {
			t.Errorf("error: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Load(ctx, "", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
	if pidOf(t, s) != pid {
		t.Error("impatient callers ended a healthy plugin")
	}
}

func TestOtherStoreAfterRestart(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, path := mustOpen(t, h, "store")
	pid := pidOf(t, s)
	if err := os.WriteFile(path+".other", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := h.service("store").cur
	kill(pid)
	eventually(t, "the host notices", func() bool { return !p.usable() })
	if _, err := s.Load(t.Context(), "", ""); !errors.Is(err, backend.ErrPluginRefused) {
		t.Errorf("error: %v", err)
	}
	if !s.Info().Encrypted {
		t.Error("Info changed")
	}
}

func TestWatchEndsWithProcess(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "store")
	pid := pidOf(t, s)
	var last error
	for v, err := range s.(backend.Watcher).Watch(t.Context(), "") {
		if v == "first" {
			kill(pid)
		}
		last = err
	}
	if !errors.Is(last, ErrLost) {
		t.Errorf("the watch ended with %v", last)
	}
	for v, err := range s.(backend.Watcher).Watch(t.Context(), "") {
		if v != "first" || err != nil {
			t.Errorf("watching again: %q %v", v, err)
		}
		break
	}
}

func TestCancelledStart(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := h.Backend(ctx, "silent"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error: %v", err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// A store that takes longer than its callers wait is no reason to end a plugin
// that says that it is there, until the host itself would have given up.
func TestSlowStore(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "store")
	pid := pidOf(t, s)
	p := h.service("store").cur
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if _, err := s.Load(ctx, "hang", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error: %v", err)
		}
		cancel()
	}
	if p.ask(); !p.usable() || pidOf(t, s) != pid {
		t.Error("a plugin whose store is slow was ended")
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	var s silence
	now := time.Now()
	for i, c := range []struct {
		began  time.Duration // before now
		misses int
		lasted time.Duration // at least
	}{{time.Second, 1, time.Second}, {500 * time.Millisecond, 2, time.Second}, {3 * time.Second, 3, 3 * time.Second}} {
		if misses, lasted := s.miss(now.Add(-c.began)); misses != c.misses || lasted < c.lasted || lasted > c.lasted+soon {
			t.Errorf("%d: %d misses in %v", i, misses, lasted)
		}
	}
	if s.end(); s.lasts() {
		t.Error("it lasts after an answer")
	}
	if misses, lasted := s.miss(now); misses != 1 || lasted > soon {
		t.Errorf("after an answer: %d misses in %v", misses, lasted)
	}
}
