//go:build secretservice

package libsecret

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// Sessions end when a service is started again, or by its own will. Calls that
// run at that moment don't fail.
func TestAServiceThatForgetsSessions(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.add(map[string]string{schemaAttribute: "s"}, "stored")
	s := d.openPatiently(t, backend.Settings{"schema": "s"})
	const readers = 6
	var rounds [readers]atomic.Int32
	over := make(chan struct{})
	var reading sync.WaitGroup
	for i := range readers {
		reading.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if err := calls["load"](t.Context(), s); err != nil {
					t.Error(err)
					return
				}
				rounds[i].Add(1)
			}
		})
	}
	for range 10 {
		f.set(func() { clear(f.sessions) })
		var before [readers]int32
		for i := range rounds {
			before[i] = rounds[i].Load()
		}
		eventually(t, "all have read since", func() bool {
			for i := range rounds {
				if rounds[i].Load() < before[i]+2 && !t.Failed() {
					return false
				}
			}
			return true
		})
	}
	close(over)
	reading.Wait()
	f.set(func() { clear(f.sessions) })
	if err := calls["save"](t.Context(), s); err != nil {
		t.Error(err)
	}
	if n := d.connections(t); n > 4 { // the service's, ours, and two of the test
		t.Errorf("%d connections", n)
	}
}

func TestAServiceThatEndsAndComesBack(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.add(map[string]string{schemaAttribute: "s"}, "stored")
	s := d.open(t, backend.Settings{"schema": "s"})
	f.leave(t, d)
	for name, call := range calls {
		wants(t, name, call(t.Context(), s), backend.ErrUnavailable)
	}
	f.enter(t, d)
	for _, name := range []string{"load", "save", "create", "list", "unlock"} {
		if err := calls[name](t.Context(), s); err != nil {
			t.Errorf("%s, when it is back: %v", name, err)
		}
	}
}

// What was agreed with one program is never sent to another that took its
// place, even if that uses the same name for a session.
func TestAnotherServiceTakesOver(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	s := d.open(t, backend.Settings{"schema": "s"})
	var old map[dbus.ObjectPath]session
	f.set(func() { old = f.sessions })
	f.leave(t, d)
	f.enter(t, d)
	f.set(func() {
		for p := range old {
			f.sessions[p] = session{path: p, key: bytes.Repeat([]byte{1}, 16)}
		}
		f.numbers = 100
	})
	if _, err := s.Save(t.Context(), "", []byte("data"), backend.None); err != nil {
		t.Fatal(err)
	}
	if it := f.only(t); string(it.data) != "data" {
		t.Errorf("stored is %q", it.data)
	}
}

func TestABusThatEndsAndComesBack(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.add(map[string]string{schemaAttribute: "s"}, "stored")
	s := d.open(t, backend.Settings{"schema": "s"})
	f.script("GetSecret", silence)
	f.calls()
	failed := make(chan error, 1)
	go func() { failed <- calls["load"](context.Background(), s) }()
	eventually(t, "a call is under way", func() bool { return slices.Contains(f.calls(), "GetSecret") })
	d.daemon.end()
	wants(t, "the call under way", <-failed, backend.ErrUnavailable)
	wants(t, "load", calls["load"](t.Context(), s), backend.ErrUnavailable)
	d.startBus(t)
	wants(t, "load without a service", calls["load"](t.Context(), s), backend.ErrUnavailable)
	f.script("GetSecret", nil)
	f.enter(t, d)
	if err := calls["load"](t.Context(), s); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}
