//go:build secretservice

package libsecret

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// Peers get no password of another content type; so what is written has it,
// also over an item that had another.
func TestContentType(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	p := f.add(map[string]string{schemaAttribute: "s"}, "stored")
	f.set(func() { f.items[p].contentType = "application/octet-stream" })
	s := d.open(t, backend.Settings{"schema": "s"})
	for _, name := range []string{"load", "save"} {
		if err := calls[name](t.Context(), s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if it := f.only(t); it.contentType != "text/plain" || string(it.data) != "new" {
		t.Errorf("%q of type %q", it.data, it.contentType)
	}
}

func TestWhatIsStored(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	s := d.open(t, backend.Settings{"schema": "s", "attribute.a": "1", "attribute.b": "", "label": "Tokens"})
	if _, err := s.Save(t.Context(), "", []byte(`{"a":1}`), backend.None); err != nil {
		t.Fatal(err)
	}
	it := f.only(t)
	if it.label != "Tokens" || it.contentType != "text/plain" || string(it.data) != `{"a":1}` || len(it.attributes) != 3 ||
		it.attributes[schemaAttribute] != "s" || it.attributes["a"] != "1" || it.attributes["b"] != "" {
		t.Errorf("stored %+v", it)
	}
}

// An item of another program that has more attributes, and one that a careless
// service finds although it has other ones, are left alone.
func TestItemsOfOthers(t *testing.T) {
	t.Parallel()
	for name, theirs := range map[string]map[string]string{
		"more attributes":  {schemaAttribute: "s", "a": "1", "more": "x"},
		"another value":    {schemaAttribute: "s", "a": "2"},
		"no attribute":     {},
		"another schema":   {schemaAttribute: "t", "a": "1"},
		"less":             {schemaAttribute: "s"},
		"a further key's":  {schemaAttribute: keySchema, keyAttribute: "another", cacheAttribute: "x", "a": "1"},
		"only more fields": {"Title": "x", "UserName": "y"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			p := f.add(theirs, "theirs")
			f.script("SearchItems", func(f *scripted, m *dbus.Message) reply {
				return reply{body: []any{slices.Collect(maps.Keys(f.items)), []dbus.ObjectPath{}}}
			})
			s := d.open(t, backend.Settings{"schema": "s", "attribute.a": "1"})
			wants(t, "load", calls["load"](t.Context(), s), backend.ErrNotFound)
			v, err := s.Save(t.Context(), "", []byte("ours"), backend.None)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := s.Load(t.Context(), "", backend.None); err != nil || string(b.Data) != "ours" {
				t.Errorf("%q, %v", b.Data, err)
			}
			listed := 0
			for info, err := range s.Keys(t.Context(), "") {
				if listed++; err != nil || info.Key != "" {
					t.Errorf("listed %+v, %v", info, err)
				}
			}
			if listed != 1 {
				t.Errorf("%d listed", listed)
			}
			if err := s.Delete(t.Context(), "", v); err != nil {
				t.Error(err)
			}
			if it := f.only(t); string(it.data) != "theirs" || f.items[p] == nil {
				t.Errorf("left is %+v", it)
			}
		})
	}
}

// .NET finds an item by its attributes alone, under whichever schema.
func TestTwoSchemas(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	older := f.add(map[string]string{schemaAttribute: "newest-first", "a": "1", "b": "2"}, `{"older":1}`)
	newer := f.add(map[string]string{schemaAttribute: "t", "a": "1", "b": "2"}, `{"newer":1}`)
	load := func(match, schema string) string {
		t.Helper()
		s := d.open(t, backend.Settings{"schema": schema, "attribute.a": "1", "attribute.b": "2", "match-schema": match})
		b, err := s.Load(t.Context(), "", backend.None)
		if err != nil {
			return backend.KindOf(err).Error()
		}
		return string(b.Data)
	}
	for _, c := range []struct{ match, schema, want string }{
		{"false", "newest-first", `{"newer":1}`}, {"false", "none", `{"newer":1}`},
		{"true", "newest-first", `{"older":1}`}, {"true", "t", `{"newer":1}`}, {"true", "none", backend.ErrNotFound.Error()},
	} {
		if got := load(c.match, c.schema); got != c.want {
			t.Errorf("match-schema %s, schema %s: %s, want %s", c.match, c.schema, got, c.want)
		}
	}
	f.set(func() { f.items[older].modified = f.items[newer].modified + 1 })
	if got := load("false", "t"); got != `{"older":1}` {
		t.Errorf("after a change of the other: %s", got)
	}
}

// An item that a peer left empty, in whatever encoding, is no item.
func TestEmptyItems(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	p := f.add(map[string]string{schemaAttribute: "s"}, "")
	for _, encoding := range []string{"raw", "base64"} {
		for _, stored := range []string{"", marker} {
			f.set(func() { f.items[p].data = []byte(stored) })
			s := d.open(t, backend.Settings{"schema": "s", "encoding": encoding})
			wants(t, encoding+" load", calls["load"](t.Context(), s), backend.ErrNotFound)
			if _, err := s.Save(t.Context(), "", []byte("data"), backend.None); err != nil {
				t.Error(err)
			}
			if b, err := s.Load(t.Context(), "", backend.None); err != nil || string(b.Data) != "data" {
				t.Errorf("%q, %v", b.Data, err)
			}
		}
	}
	f.only(t)
}

func TestTooLargeComesBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	b := d.backend()
	b.limits.bytes = maxBytes
	s, err := b.Open(t.Context(), config(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f.calls()
	for _, size := range []int{maxBytes + 1, 4 << 20, 16 << 20} {
		_, err := s.Save(t.Context(), "", bytes.Repeat([]byte("x"), size), backend.None)
		wants(t, "save", err, backend.ErrTooLarge)
		if err == nil || !strings.Contains(err.Error(), "1048576") {
			t.Errorf("%v doesn't name the limit", err)
		}
	}
	if heard := f.calls(); len(heard) > 0 {
		t.Errorf("the service was called: %q", heard)
	}
}
