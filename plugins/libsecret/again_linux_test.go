//go:build secretservice

package libsecret

import (
	"slices"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// What was found before is asked for at once, and each thing once.
func TestWhatASecondCallAsks(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.add(map[string]string{schemaAttribute: "s"}, "stored")
	s := d.open(t, backend.Settings{"schema": "s"})
	for _, c := range []struct{ call, asks string }{
		{"load", "GetAll GetSecret SearchItems"},
		{"load", "GetSecret SearchItems"},
		{"save", "GetSecret SearchItems SetSecret"},
	} {
		f.calls()
		if err := calls[c.call](t.Context(), s); err != nil {
			t.Fatalf("%s: %v", c.call, err)
		}
		heard := f.calls()
		if got := strings.Join(slices.Sorted(slices.Values(heard)), " "); got != c.asks {
			t.Errorf("%s asks %s, want %s", c.call, got, c.asks)
		}
	}
}

// The item that was found before may not be the cache's any more.
func TestAnotherItemThanBefore(t *testing.T) {
	t.Parallel()
	ours := func() map[string]string { return map[string]string{schemaAttribute: "s", "a": "1"} }
	for name, c := range map[string]struct {
		change func(f *scripted, p dbus.ObjectPath)
		want   string // the content; empty: there is none
	}{
		"it is made anew": {func(f *scripted, p dbus.ObjectPath) {
			delete(f.items, p)
			f.items[p+"x"] = &kept{attributes: ours(), data: []byte("anew"), contentType: contentType}
		}, "anew"},
		"there is a newer one": {func(f *scripted, p dbus.ObjectPath) {
			f.items[p+"x"] = &kept{attributes: ours(), data: []byte("newer"), contentType: contentType, modified: f.items[p].modified + 1}
		}, "newer"},
		"there is an older one": {func(f *scripted, p dbus.ObjectPath) {
			f.items[p+"x"] = &kept{attributes: ours(), data: []byte("older"), contentType: contentType}
		}, "stored"},
		"it is gone":                  {func(f *scripted, p dbus.ObjectPath) { delete(f.items, p) }, ""},
		"it has another schema":       {func(f *scripted, p dbus.ObjectPath) { f.items[p].attributes[schemaAttribute] = "t" }, ""},
		"it is changed":               {func(f *scripted, p dbus.ObjectPath) { f.items[p].data = []byte("changed") }, "changed"},
		"it is emptied":               {func(f *scripted, p dbus.ObjectPath) { f.items[p].data = nil }, ""},
		"the service forgot sessions": {func(f *scripted, _ dbus.ObjectPath) { clear(f.sessions) }, "stored"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			p := f.add(ours(), "stored")
			s := d.open(t, backend.Settings{"schema": "s", "attribute.a": "1"})
			v := loads(t, s, "stored").Version
			f.set(func() { c.change(f, p) })
			if c.want == "" {
				wants(t, "load", loadError(s), backend.ErrNotFound)
			} else {
				loads(t, s, c.want)
			}
			if c.want == "stored" {
				saves(t, s, "new", v)
				return
			}
			_, err := s.Save(t.Context(), "", []byte("new"), v)
			wants(t, "save over what was there before", err, backend.ErrConflict)
		})
	}
}

// A service may lock an item while its keyring is open.
func TestUnlockOfAnItem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opens, dismisses bool
		kind             error
	}{
		"a person agrees":                    {opens: true},
		"a person dismisses the prompt":      {dismisses: true, kind: backend.ErrDenied},
		"nothing is unlocked, for no reason": {kind: backend.ErrDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			p := f.add(map[string]string{schemaAttribute: "s"}, "stored")
			shut, asked := true, []dbus.ObjectPath(nil)
			f.set(func() {
				f.parts["SearchItems"] = func(f *scripted, m *dbus.Message) reply {
					r := f.search(m)
					if shut {
						slices.Reverse(r.body)
					}
					return r
				}
				f.parts["Unlock"] = func(f *scripted, m *dbus.Message) reply {
					if asked, _ = m.Body[0].([]dbus.ObjectPath); !slices.Contains(asked, p) {
						return reply{body: []any{asked, none}}
					}
					return reply{body: []any{[]dbus.ObjectPath{}, scriptedPrompt}}
				}
				f.person = func(dbus.ObjectPath) (bool, any) {
					shut = !c.opens
					return c.dismisses, []dbus.ObjectPath{p}
				}
			})
			s := d.open(t, backend.Settings{"schema": "s"})
			wants(t, "load", loadError(s), backend.ErrLocked)
			err := s.Unlock(t.Context())
			if !slices.Contains(asked, p) {
				t.Errorf("asked for %q", asked)
			}
			if c.kind != nil {
				wants(t, "unlock", err, c.kind)
				wants(t, "load", loadError(s), backend.ErrLocked)
			} else if err != nil {
				t.Error(err)
			} else {
				loads(t, s, "stored")
			}
		})
	}
}
