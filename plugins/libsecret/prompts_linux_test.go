//go:build secretservice

package libsecret

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
)

// lockable is the harness of a scripted service, which can be locked.
type lockable struct {
	harness
	service *scripted
}

func (l lockable) Open(t backendtest.T) backend.Store {
	l.service.set(func() { l.service.locked = false; clear(l.service.items) })
	return l.Opener.Open(t)
}

func (l lockable) OpenLocked(t backendtest.T) backend.Store {
	l.service.set(func() { l.service.locked = true })
	return l.Opener.Open(t)
}

func TestConformanceOnAScriptedService(t *testing.T) {
	t.Parallel()
	modes := map[string]backend.Settings{"all": nil, "one": {"collection": "main"}}
	if testing.Short() {
		delete(modes, "all") // as on GNOME Keyring
	}
	for name, settings := range modes {
		t.Run(name+" collections", func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			f.set(func() { f.person = f.accepts })
			backendtest.Run(t, lockable{d.harness(t, patient(d.shared), settings), f})
		})
	}
}

func TestOnlyUnlockPrompts(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.add(map[string]string{schemaAttribute: "s"}, "stored")
	s := d.open(t, backend.Settings{"schema": "s"})
	f.set(func() { f.locked = true })
	for name, call := range calls {
		if name != "unlock" {
			wants(t, name, call(t.Context(), s), backend.ErrLocked)
		}
	}
	if heard := f.calls(); slices.Contains(heard, "Unlock") || slices.Contains(heard, "Prompt") {
		t.Errorf("it asks a person: %q", heard)
	}
}

// A service may want to ask although nothing is locked. That another program has
// KeePassXC's name doesn't make it KeePassXC.
func TestWritesThatWantAPrompt(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	owns(t, d.connect(t), keepassxc)
	f.add(map[string]string{schemaAttribute: "s"}, "stored")
	f.script("CreateItem", says(none, scriptedPrompt))
	f.script("Delete", says(scriptedPrompt))
	s := d.open(t, backend.Settings{"schema": "s"})
	for _, name := range []string{"create", "delete"} {
		wants(t, name, calls[name](t.Context(), s), backend.ErrLocked)
		var heard []string
		eventually(t, "the prompt is withdrawn", func() bool {
			heard = append(heard, f.calls()...)
			return slices.Contains(heard, "Dismiss")
		})
		if slices.Contains(heard, "Prompt") {
			t.Errorf("%s shows a prompt", name)
		}
	}
}

// KeePassXC's prompts are run, as they show nothing; one that does all the same
// doesn't stay.
func TestPromptsOfKeePassXC(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		person func(dbus.ObjectPath) (bool, any)
		kind   error
	}{
		"nobody answers":  {nil, backend.ErrTimeout},
		"it is dismissed": {func(dbus.ObjectPath) (bool, any) { return true, none }, backend.ErrLocked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t, keepassxc)
			f.set(func() { f.person = c.person })
			f.script("CreateItem", says(none, scriptedPrompt))
			s := d.open(t, nil)
			f.calls()
			wants(t, "create", calls["create"](t.Context(), s), c.kind)
			var heard []string
			eventually(t, "the prompt is over", func() bool {
				heard = append(heard, f.calls()...)
				return slices.Contains(heard, "Dismiss") == (c.person == nil)
			})
			if !slices.Contains(heard, "Prompt") {
				t.Errorf("heard %q", heard)
			}
		})
	}
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	dismisses := func(dbus.ObjectPath) (bool, any) { return true, []dbus.ObjectPath{} }
	for _, c := range []struct {
		name    string
		prepare func(*scripted)
		kind    error
	}{
		{"a prompt is answered", func(f *scripted) { f.locked, f.person = true, f.accepts }, nil},
		{"nothing is locked", func(*scripted) {}, nil},
		{"a prompt is dismissed", func(f *scripted) { f.locked, f.person = true, dismisses }, backend.ErrDenied},
		{"a prompt is answered and nothing unlocked", func(f *scripted) {
			f.locked, f.person = true, func(dbus.ObjectPath) (bool, any) { return false, []dbus.ObjectPath{} }
		}, backend.ErrDenied},
		{"nothing is asked and nothing unlocked", func(f *scripted) {
			f.locked, f.parts["Unlock"] = true, says([]dbus.ObjectPath{}, none)
		}, backend.ErrDenied},
		{"there is no default keyring", func(f *scripted) { f.aliases, f.person = map[string]dbus.ObjectPath{}, f.accepts }, nil},
		{"nobody wants a default keyring", func(f *scripted) { f.aliases, f.person = nil, dismisses }, backend.ErrDenied},
		{"the prompt is refused", func(f *scripted) { f.locked, f.parts["Prompt"] = true, failsWith(accessDenied) }, backend.ErrDenied},
		{"the prompt's answer is nonsense", func(f *scripted) {
			f.locked = true
			f.parts["Prompt"] = func(f *scripted, m *dbus.Message) reply {
				_ = f.conn.Emit(path(m), promptInterface+"Completed", "text of the service's own", 5)
				return reply{}
			}
		}, backend.ErrDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			f.set(func() { c.prepare(f) })
			s := d.open(t, nil)
			err := s.Unlock(t.Context())
			if c.kind != nil {
				wants(t, "unlock", err, c.kind)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Save(t.Context(), "", []byte("data"), backend.None); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAPromptThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	const allowed = 2 * time.Second
	for name, c := range map[string]struct {
		own, callers time.Duration
		kind         error
	}{
		"for the store's time":  {allowed, time.Hour, backend.ErrTimeout},
		"for the caller's time": {time.Hour, allowed, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			f.set(func() { f.locked = true })
			b := d.backend()
			b.limits.prompt = c.own
			s, err := b.Open(t.Context(), config(t, nil))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			ctx, cancel := context.WithTimeout(t.Context(), c.callers)
			defer cancel()
			begin := time.Now()
			err = s.(backend.Unlocker).Unlock(ctx)
			if !errors.Is(err, c.kind) {
				t.Errorf("%v, want %v", err, c.kind)
			}
			if took := time.Since(begin); took < allowed || took > 10*allowed {
				t.Errorf("it took %v", took)
			}
			eventually(t, "the prompt is withdrawn", func() bool { return slices.Contains(f.calls(), "Dismiss") })
		})
	}
}

// waitsForPrompt unlocks and returns once the prompt shows.
func waitsForPrompt(t *testing.T, f *scripted, s *store) <-chan error {
	t.Helper()
	f.set(func() { f.locked = true })
	done := make(chan error, 1)
	go func() { done <- s.Unlock(context.Background()) }()
	eventually(t, "the prompt shows", func() bool { return slices.Contains(f.calls(), "Prompt") })
	return done
}

func TestTheServiceEndsDuringAPrompt(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	done := waitsForPrompt(t, f, d.open(t, nil))
	f.leave(t, d)
	wants(t, "unlock", <-done, backend.ErrUnavailable)
}

func TestTheStoreIsClosedDuringAPrompt(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	s := d.open(t, nil)
	done := waitsForPrompt(t, f, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wants(t, "unlock", <-done, backend.ErrClosed)
}

// Another program of the session says that the prompt is done.
func TestAForgedAnswerOfAPrompt(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	s := d.open(t, nil)
	done := waitsForPrompt(t, f, s)
	forger := d.connect(t)
	b, _ := d.shared.current()
	for _, to := range append(b.Names(), "") {
		m := &dbus.Message{Type: dbus.TypeSignal, Body: []any{true, dbus.MakeVariant("")}, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldPath: dbus.MakeVariant(scriptedPrompt), dbus.FieldInterface: dbus.MakeVariant("org.freedesktop.Secret.Prompt"),
			dbus.FieldMember: dbus.MakeVariant("Completed"), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(true, dbus.MakeVariant(""))),
		}}
		if to != "" {
			m.Headers[dbus.FieldDestination] = dbus.MakeVariant(to)
		}
		forger.Send(m, nil)
	}
	// The answer of the bus comes behind the forged ones.
	if err := forger.BusObject().Call(busInterface+".GetId", 0).Err; err != nil {
		t.Fatal(err)
	}
	f.set(func() {
		f.complete(&dbus.Message{Headers: map[dbus.HeaderField]dbus.Variant{dbus.FieldPath: dbus.MakeVariant(scriptedPrompt)}}, f.accepts)
	})
	if err := <-done; err != nil {
		t.Errorf("the forged answer counted: %v", err)
	}
}

func TestWaitingForAPromptLeavesNoSubscription(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.set(func() { f.locked, f.person = true, f.accepts })
	s := d.open(t, nil)
	wire := d.listen(t)
	if err := s.Unlock(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all is cancelled", func() bool {
		added, removed := wire.count("AddMatch"), wire.count("RemoveMatch")
		return added == 2 && removed == 2
	})
}
