//go:build secretservice

package libsecret

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

func publicKey(n *big.Int) part { return says(dbus.MakeVariant(n.Bytes()), servicePath+"/session/s1") }

// Whatever the service does at Open, a keyring that is there isn't left for
// another backend: only ErrUnavailable and ErrUnsupported would lead to one.
func TestOpenOnAServiceThatMisbehaves(t *testing.T) {
	t.Parallel()
	session := servicePath + "/session/s1"
	for name, c := range map[string]struct {
		play part
		kind error
	}{
		"it knows plain alone":      {failsWith(notSupported), backend.ErrUnsupported},
		"it fails":                  {failsWith("org.freedesktop.DBus.Error.Failed"), backend.ErrEncrypt},
		"its error's name is odd":   {failsWith("org.example.Error.X"), backend.ErrEncrypt},
		"it denies":                 {failsWith(accessDenied), backend.ErrDenied},
		"it is full":                {failsWith(limitsExceeded), backend.ErrDenied},
		"it timed out":              {failsWith(noReply), backend.ErrTimeout},
		"it answers nothing":        {says(), backend.ErrEncrypt},
		"it answers too much":       {says(dbus.MakeVariant([]byte{2}), session, "more"), backend.ErrEncrypt},
		"its key is text":           {says(dbus.MakeVariant("2"), session), backend.ErrEncrypt},
		"its key isn't a variant":   {says([]byte{2}, session), backend.ErrEncrypt},
		"its session is a number":   {says(dbus.MakeVariant([]byte{3}), int32(3)), backend.ErrEncrypt},
		"its key is empty":          {says(dbus.MakeVariant([]byte{}), session), backend.ErrEncrypt},
		"its key is 0":              {says(dbus.MakeVariant(make([]byte, 128)), session), backend.ErrEncrypt},
		"its key is 1":              {publicKey(big.NewInt(1)), backend.ErrEncrypt},
		"its key is the prime":      {publicKey(prime), backend.ErrEncrypt},
		"its key is one less":       {publicKey(new(big.Int).Sub(prime, big.NewInt(1))), backend.ErrEncrypt},
		"its key is far too large":  {publicKey(new(big.Int).Lsh(prime, 8000)), backend.ErrEncrypt},
		"it hears of a plain value": {says(dbus.MakeVariant(""), session), backend.ErrEncrypt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			f.script("OpenSession", c.play)
			d.leavesNothing(t, func(ctx context.Context) {
				begin := time.Now()
				_, err := d.backend().Open(ctx, config(t, nil))
				wants(t, "open", err, c.kind)
				if took := time.Since(begin); took > 10*patience {
					t.Errorf("it took %v", took)
				}
			})
			if n := len(f.calls()); n != 1 || f.inClear("plain") {
				t.Errorf("%d calls, or one for a plain session", n)
			}
		})
	}
}

func TestAnswersThatAreNonsense(t *testing.T) {
	t.Parallel()
	sealed := func(change func(*secret)) part {
		return func(f *scripted, m *dbus.Message) reply {
			s := f.sessions[m.Body[0].(dbus.ObjectPath)]
			x, _ := s.seal([]byte("stored"))
			change(&x)
			return reply{body: []any{x}}
		}
	}
	for name, c := range map[string]struct {
		member string
		play   part
		kinds  map[string]error
	}{
		"a search gives a number":       {"SearchItems", says(int32(5)), all(backend.ErrUnavailable)},
		"a search gives nothing":        {"SearchItems", says(), all(backend.ErrUnavailable)},
		"a search gives odd paths":      {"SearchItems", says([]string{"no path", ""}, []string{}), all(backend.ErrUnavailable)},
		"a search fails":                {"SearchItems", failsWith("org.freedesktop.DBus.Error.Failed"), all(backend.ErrUnavailable)},
		"properties are text":           {"GetAll", says("all"), written(backend.ErrUnavailable)},
		"properties are missing":        {"GetAll", says(map[string]dbus.Variant{}), map[string]error{"load": backend.ErrNotFound, "save": backend.ErrConflict}},
		"attributes are numbers":        {"GetAll", says(map[string]dbus.Variant{"Attributes": dbus.MakeVariant(map[string]int32{schemaAttribute: 1})}), map[string]error{"load": backend.ErrNotFound}},
		"a secret is text":              {"GetSecret", says("stored"), written(backend.ErrUnavailable)},
		"a secret has three parts":      {"GetSecret", says(struct{ A, B, C string }{}), written(backend.ErrUnavailable)},
		"a secret isn't bytes":          {"GetSecret", says(struct{ A, B, C, D string }{}), written(backend.ErrUnavailable)},
		"a secret is nothing":           {"GetSecret", says(), written(backend.ErrUnavailable)},
		"a secret in clear":             {"GetSecret", sealed(func(x *secret) { x.Parameters, x.Value = nil, []byte("stored") }), written(backend.ErrDecrypt)},
		"a short initialisation vector": {"GetSecret", sealed(func(x *secret) { x.Parameters = x.Parameters[:8] }), written(backend.ErrDecrypt)},
		"an empty secret":               {"GetSecret", sealed(func(x *secret) { x.Value = nil }), written(backend.ErrDecrypt)},
		"half a block":                  {"GetSecret", sealed(func(x *secret) { x.Value = x.Value[:8] }), written(backend.ErrDecrypt)},
		"a wrong padding":               {"GetSecret", sealed(func(x *secret) { x.Parameters[15] ^= 0x80 }), written(backend.ErrDecrypt)},
		"an alias is a number":          {"ReadAlias", says(uint32(1)), map[string]error{"create": backend.ErrUnavailable, "unlock": backend.ErrUnavailable}},
		"an alias is no path":           {"ReadAlias", says("no path"), map[string]error{"create": backend.ErrUnavailable, "unlock": backend.ErrUnavailable}},
		"Locked is text":                {"Get", says("yes"), map[string]error{"load": nil}},
		"a new item has no path":        {"CreateItem", says(uint32(1), uint32(2)), map[string]error{"create": backend.ErrUnavailable}},
		"a prompt is a number":          {"Unlock", says([]dbus.ObjectPath{}, uint32(2)), map[string]error{"unlock": backend.ErrUnavailable}},
		"a prompt is no path":           {"Unlock", says([]dbus.ObjectPath{}, "no path"), map[string]error{"unlock": backend.ErrUnavailable}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			f.add(map[string]string{schemaAttribute: "s"}, "stored")
			f.script(c.member, c.play)
			s := d.open(t, backend.Settings{"schema": "s"})
			for name, kind := range c.kinds {
				begin := time.Now()
				err := calls[name](t.Context(), s)
				if took := time.Since(begin); took > 10*patience {
					t.Errorf("%s took %v", name, took)
				}
				if kind == nil {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
					continue
				}
				wants(t, name, err, kind)
			}
			if it := f.only(t); string(it.data) != "stored" {
				t.Errorf("%q is stored now", it.data)
			}
		})
	}
}

func all(kind error) map[string]error {
	return map[string]error{"load": kind, "save": kind, "create": kind, "delete": kind, "list": kind}
}

// written is what calls answer that read the item before they write it.
func written(kind error) map[string]error {
	return map[string]error{"load": kind, "save": kind, "delete": kind}
}

func TestAnItemThatVanishes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		call, member, err string
		kind              error
	}{
		{"load", "GetAll", unknownObject, backend.ErrNotFound},
		{"load", "GetAll", unknownMethod, backend.ErrNotFound},
		{"load", "GetSecret", noSuchObject, backend.ErrNotFound},
		{"save", "GetSecret", noSuchObject, backend.ErrConflict},
		{"save", "SetSecret", noSuchObject, backend.ErrConflict},
		{"delete", "Delete", unknownMethod, backend.ErrConflict},
		{"list", "GetAll", noSuchObject, nil},
	} {
		t.Run(c.call+" "+c.member+" "+c.err, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			f := d.play(t)
			f.add(map[string]string{schemaAttribute: "s"}, "stored")
			f.script(c.member, failsWith(c.err))
			err := calls[c.call](t.Context(), d.open(t, backend.Settings{"schema": "s"}))
			if c.kind != nil {
				wants(t, c.call, err, c.kind)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAKeyringThatIsMissing(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	f := d.play(t)
	f.set(func() { f.aliases = map[string]dbus.ObjectPath{"session": scriptedCollection} })
	for keyring, hint := range map[string]string{"default": "calling Unlock", "work": "setting collection"} {
		s := d.open(t, backend.Settings{"collection": keyring})
		for name, call := range calls {
			if name == "unlock" && keyring == "default" {
				continue // it makes one
			}
			err := call(t.Context(), s)
			wants(t, keyring+": "+name, err, backend.ErrUnavailable)
			if e := (*backend.Error)(nil); !errors.As(err, &e) || !strings.Contains(e.Hint, hint) {
				t.Errorf("%s: %v doesn't say %q", name, err, hint)
			}
		}
	}
	s := d.open(t, backend.Settings{"collection": "main"})
	if err := calls["create"](t.Context(), s); err != nil {
		t.Errorf("in a keyring by its name: %v", err)
	}
}
