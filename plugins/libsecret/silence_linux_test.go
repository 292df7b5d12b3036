//go:build secretservice

package libsecret

import (
	"bytes"
	"context"
	"errors"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// The calls of a store, as tests make each of them fail. Load, Save and Delete
// find the main item with the content "stored".
var calls = map[string]func(context.Context, *store) error{
	"load": func(ctx context.Context, s *store) error {
		_, err := s.Load(ctx, "", backend.None)
		return err
	},
	"save": func(ctx context.Context, s *store) error {
		_, err := s.Save(ctx, "", []byte("new"), version([]byte("stored")))
		return err
	},
	"create": func(ctx context.Context, s *store) error {
		_, err := s.Save(ctx, "another", []byte("new"), backend.None)
		return err
	},
	"delete": func(ctx context.Context, s *store) error {
		return s.Delete(ctx, "", version([]byte("stored")))
	},
	"list": func(ctx context.Context, s *store) error {
		for _, err := range s.Keys(ctx, "") {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"unlock": func(ctx context.Context, s *store) error { return s.Unlock(ctx) },
}

// wants checks the error of a call: its kind, who says it, what to do, and that
// it has nothing that the service wrote.
func wants(t testing.TB, what string, err, kind error) {
	t.Helper()
	var e *backend.Error
	switch {
	case !errors.Is(err, kind) || !errors.As(err, &e):
		t.Errorf("%s: %v, want %v", what, err, kind)
	case e.Op == "" || e.Backend != name:
		t.Errorf("%s: %v has operation %q and backend %q", what, err, e.Op, e.Backend)
	case e.Hint == "" && kind != backend.ErrConflict && kind != backend.ErrNotFound && kind != backend.ErrClosed:
		t.Errorf("%s: %v doesn't say what to do", what, err)
	case strings.Contains(err.Error(), "text of the service"):
		t.Errorf("%s: %v quotes the service", what, err)
	}
}

// inTime runs a call that has to end by patience, and not before; machines that
// are busy get more room.
func inTime(t testing.TB, call func() error) error {
	t.Helper()
	begin := time.Now()
	err := call()
	if took := time.Since(begin); took < patience*9/10 || took > 10*patience {
		t.Errorf("it ended after %v with %v", took, err)
	}
	return err
}

// leavesNothing runs something that opens and closes stores, and then looks for
// goroutines and connections.
func (d *desktop) leavesNothing(t testing.TB, run func(context.Context)) {
	t.Helper()
	before := d.connections(t)
	pprof.Do(t.Context(), pprof.Labels("libsecret", t.Name()), run)
	eventually(t, "all goroutines end", func() bool { return labelled(t.Name()) == 0 })
	eventually(t, "all connections end", func() bool { return d.connections(t) <= before })
}

// connections counts those of the bus.
func (d *desktop) connections(t testing.TB) int {
	t.Helper()
	conn := d.connect(t)
	defer conn.Close()
	var names []string
	if err := conn.BusObject().Call(busInterface+".ListNames", 0).Store(&names); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range names {
		if strings.HasPrefix(name, ":") {
			n++
		}
	}
	return n
}

// labelled counts the records of goroutines with a label, which goroutines hand
// on to those that they start.
func labelled(mark string) int {
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return -1
	}
	return strings.Count(text.String(), `"libsecret":"`+mark+`"`)
}

func TestAServiceThatNeverAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ call, member string }{
		{"load", "SearchItems"}, {"load", "GetAll"}, {"load", "GetSecret"},
		{"save", "SetSecret"}, {"create", "ReadAlias"}, {"create", "Get"}, {"create", "CreateItem"},
		{"delete", "Delete"}, {"list", "SearchItems"}, {"list", "GetAll"},
		{"unlock", "ReadAlias"}, {"unlock", "Unlock"}, {"unlock", "Get"}, {"unlock", "Prompt"}, {"unlock", "CreateCollection"},
	} {
		t.Run(c.call+" "+c.member, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			f.set(func() {
				f.person, f.locked = f.accepts, c.member == "Prompt"
				if c.member == "CreateCollection" {
					f.aliases = nil
				}
			})
			f.add(map[string]string{schemaAttribute: "s"}, "stored")
			f.script(c.member, silence)
			d.leavesNothing(t, func(ctx context.Context) {
				s := d.open(t, backend.Settings{"schema": "s"})
				if labelled(t.Name()) == 0 {
					t.Error("the test proves nothing: it doesn't see the goroutines of a connection")
				}
				wants(t, c.call, inTime(t, func() error { return calls[c.call](ctx, s) }), backend.ErrTimeout)
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestASilentServiceAtOpen(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.play(t).script("OpenSession", silence)
	d.leavesNothing(t, func(ctx context.Context) {
		err := inTime(t, func() error {
			_, err := d.backend().Open(ctx, config(t, nil))
			return err
		})
		wants(t, "open", err, backend.ErrTimeout)
	})
}

// Whoever waits for the turn of another call is in time too.
func TestManyCallsOfASilentService(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.add(map[string]string{schemaAttribute: "s"}, "stored")
	s := d.open(t, backend.Settings{"schema": "s"})
	f.script("GetSecret", silence)
	errs := make(chan error)
	for range 10 {
		for _, call := range []string{"load", "save", "delete"} {
			go func() { errs <- inTime(t, func() error { return calls[call](context.Background(), s) }) }()
		}
	}
	for range 30 {
		wants(t, "a call", <-errs, backend.ErrTimeout)
	}
}

func TestTheCallersContextEndsAnyCall(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.set(func() { f.locked = true })
	s := d.open(t, backend.Settings{"schema": "s"})
	f.script("SearchItems", silence)
	f.script("Unlock", silence)
	for name, call := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		begin := time.Now()
		if err := call(ctx, s); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, backend.ErrTimeout) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(begin); took > 10*patience {
			t.Errorf("%s ended after %v", name, took)
		}
		cancel()
	}
}

func TestCloseDoesNotWaitForAnswers(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	s := d.open(t, nil)
	f.calls()
	f.script("SearchItems", silence)
	failed := make(chan error, 1)
	go func() { failed <- calls["load"](context.Background(), s) }()
	eventually(t, "the load is under way", func() bool { return len(f.calls()) > 0 })
	begin := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wants(t, "load", <-failed, backend.ErrClosed)
	if took := time.Since(begin); took > 10*patience {
		t.Errorf("it took %v", took)
	}
}
