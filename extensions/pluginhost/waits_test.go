package pluginhost

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// TestStartOutlivesItsFirstCaller: the one who asked first gives up, and those
// who joined get the process that was started for it.
func TestStartOutlivesItsFirstCaller(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s := h.service("store")
	s.losses = 4 // the start waits for 200 ms, so that all are there before it
	first, cancel := context.WithCancel(t.Context())
	gaveUp, others := make(chan error, 1), make(chan error, 3)
	go func() { _, err := h.Backend(first, "store"); gaveUp <- err }()
	eventually(t, "the start is under way", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.flight != nil
	})
	s.mu.Lock()
	flight := s.flight
	s.mu.Unlock()
	for range cap(others) {
		go func() { _, err := h.Backend(t.Context(), "store"); others <- err }()
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up: %v", err)
	}
	for range cap(others) {
		if err := <-others; err != nil {
			t.Errorf("who waited: %v", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur == nil || s.cur != flight.process {
		t.Error("another process was started")
	}
}

// hangOnReopen returns a store whose plugin was lost, and hangs as soon as the
// store is opened again.
func hangOnReopen(t *testing.T, h *Host) (s backend.Store, path string) {
	t.Helper()
	s, path = mustOpen(t, h, "store")
	pid := pidOf(t, s)
	p := h.service("store").cur
	mark(path + ".hang")
	kill(pid)
	eventually(t, "the host notices", func() bool { return !p.usable() })
	return s, path
}

func TestNobodyWaitsForAnothersOpening(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, path := hangOnReopen(t, h)
	patient := make(chan error, 1)
	go func() { _, err := s.Load(t.Context(), "", ""); patient <- err }()
	eventually(t, "the store is being opened", func() bool { return exists(path + ".hangs") })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := s.Load(ctx, "", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an impatient caller: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := <-patient; !errors.Is(err, backend.ErrClosed) {
		t.Errorf("the patient caller: %v", err)
	}
	if took := time.Since(begin); took > callTimeout/3 {
		t.Errorf("they waited for %v", took)
	}
}

func TestSaveOutlivesClose(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	s, path := mustOpen(t, h, "store")
	pid := pidOf(t, s)
	saved := make(chan error, 1)
	go func() { _, err := s.Save(t.Context(), "slow", []byte("data"), ""); saved <- err }()
	eventually(t, "the save runs", func() bool { return exists(path + "begun") })
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := s.Load(t.Context(), "", ""); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("a call after Close: %v", err)
	}
	select {
	case err := <-saved:
		t.Fatalf("the running save was ended: %v", err)
	default:
	}
	mark(path + "go")
	if err := <-saved; err != nil {
		t.Errorf("the running save: %v", err)
	}
	if data, err := os.ReadFile(path + "slow"); err != nil || string(data) != "data" {
		t.Errorf("stored: %q %v", data, err)
	}
	eventually(t, "the process is let go after it", func() bool { return !there(pid) })
}

func TestOldLossesAreForgotten(t *testing.T) {
	s := &service{losses: 5, cur: &process{began: time.Now().Add(-settled), letGo: make(chan struct{})}}
	if s.letGo(); s.losses != 0 {
		t.Errorf("%d losses", s.losses)
	}
	s.losses, s.cur = 5, &process{began: time.Now(), letGo: make(chan struct{})}
	if s.letGo(); s.losses != 5 {
		t.Errorf("a process that was hardly tried: %d losses", s.losses)
	}
}
