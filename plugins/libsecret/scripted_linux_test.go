//go:build secretservice

package libsecret

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// scripted is a Secret Service that does what the specification says, except
// where a test has written it another part.
type scripted struct {
	conn  *dbus.Conn
	names []string // on the bus

	mu     sync.Mutex
	parts  map[string]part // by member
	heard  []string        // members that were called, in order
	gotten []*dbus.Message

	sessions map[dbus.ObjectPath]session
	items    map[dbus.ObjectPath]*kept
	locked   bool
	aliases  map[string]dbus.ObjectPath
	numbers  int
	// person decides what a prompt comes to. Nil: it is shown and not answered.
	person func(prompt dbus.ObjectPath) (dismissed bool, result any)
}

// part plays one method.
type part func(*scripted, *dbus.Message) reply

// reply is what a call is answered with. The zero value is an empty reply.
type reply struct {
	body   []any
	err    string // the error's name
	silent bool
}

// kept is an item.
type kept struct {
	attributes  map[string]string
	label       string
	data        []byte
	contentType string
	modified    uint64
}

const (
	scriptedCollection = dbus.ObjectPath(collectionsPath + "main")
	scriptedPrompt     = servicePath + "/prompt/p1"
)

func silence(*scripted, *dbus.Message) reply { return reply{silent: true} }

func says(body ...any) part {
	return func(*scripted, *dbus.Message) reply { return reply{body: body} }
}

func failsWith(name string) part {
	return func(*scripted, *dbus.Message) reply {
		return reply{err: name, body: []any{"text of the service's own"}}
	}
}

// play starts a scripted service on the desktop's bus, also under other names.
func (d *desktop) play(t testing.TB, names ...string) *scripted {
	t.Helper()
	f := &scripted{
		names: append(names, busName), parts: map[string]part{}, sessions: map[dbus.ObjectPath]session{}, items: map[dbus.ObjectPath]*kept{},
		aliases: map[string]dbus.ObjectPath{"default": scriptedCollection},
	}
	f.enter(t, d)
	return f
}

// enter connects the service, anew if it had left.
func (f *scripted) enter(t testing.TB, d *desktop) {
	t.Helper()
	conn := d.connect(t)
	calls := make(chan *dbus.Message, 1<<12) // more than a test makes: what doesn't fit is lost
	for _, name := range f.names {
		owns(t, conn, name)
	}
	f.mu.Lock()
	f.conn, f.sessions = conn, map[dbus.ObjectPath]session{}
	f.mu.Unlock()
	conn.Eavesdrop(calls)
	t.Cleanup(func() { hangUp(conn) })
	go f.listen(conn, calls)
}

func owns(t testing.TB, conn *dbus.Conn, name string) {
	t.Helper()
	if r, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(r, err)
	}
}

func (f *scripted) listen(conn *dbus.Conn, calls <-chan *dbus.Message) {
	for {
		select {
		case m, ok := <-calls:
			if !ok {
				return
			}
			if m.Type == dbus.TypeMethodCall {
				f.hear(conn, m)
			}
		case <-conn.Context().Done():
			return
		}
	}
}

// leave takes the service off the bus, and returns when the bus has seen it. Its
// items stay.
func (f *scripted) leave(t testing.TB, d *desktop) {
	t.Helper()
	hangUp(f.conn)
	conn := d.connect(t)
	defer conn.Close()
	eventually(t, "the bus sees that the service has gone", func() bool {
		has := true
		return conn.BusObject().Call(busInterface+".NameHasOwner", 0, busName).Store(&has) == nil && !has
	})
}

// hangUp closes a connection that eavesdrops: godbus would close the channel,
// and panic when a message comes then.
func hangUp(conn *dbus.Conn) {
	conn.Eavesdrop(nil)
	_ = conn.Close()
}

// script has a method played otherwise; nil: as the specification says.
func (f *scripted) script(member string, p part) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parts[member] = p
}

// calls are the members that were called since the last time.
func (f *scripted) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	heard := f.heard
	f.heard = nil
	return heard
}

func (f *scripted) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *scripted) hear(conn *dbus.Conn, m *dbus.Message) {
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	f.mu.Lock()
	f.heard, f.gotten = append(f.heard, member), append(f.gotten, m)
	p := f.parts[member]
	if p == nil {
		p = specified[member]
	}
	r := reply{err: unknownMethod}
	if p != nil {
		r = p(f, m)
	}
	f.mu.Unlock()
	if !r.silent && m.Flags&dbus.FlagNoReplyExpected == 0 {
		respond(conn, m, r)
	}
}

func respond(conn *dbus.Conn, to *dbus.Message, r reply) {
	m := &dbus.Message{Type: dbus.TypeMethodReply, Body: r.body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldDestination: to.Headers[dbus.FieldSender],
		dbus.FieldReplySerial: dbus.MakeVariant(to.Serial()),
	}}
	if r.err != "" {
		m.Type = dbus.TypeError
		m.Headers[dbus.FieldErrorName] = dbus.MakeVariant(r.err)
	}
	if len(r.body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(r.body...))
	}
	conn.Send(m, nil)
}

// specified are the methods as in the specification. They are called with mu
// held. What a service may leave undone is left undone.
var specified = map[string]part{
	"OpenSession": (*scripted).openSession,
	"ReadAlias": func(f *scripted, m *dbus.Message) reply {
		path, ok := f.aliases[m.Body[0].(string)]
		if !ok {
			path = none
		}
		return reply{body: []any{path}}
	},
	"SearchItems": (*scripted).search,
	"CreateItem":  (*scripted).create,
	"Get":         (*scripted).property,
	"GetAll": func(f *scripted, m *dbus.Message) reply {
		return f.ofItem(m, func(it *kept) reply {
			return reply{body: []any{map[string]dbus.Variant{
				"Attributes": dbus.MakeVariant(maps.Clone(it.attributes)), "Label": dbus.MakeVariant(it.label),
				"Locked": dbus.MakeVariant(f.locked), "Modified": dbus.MakeVariant(it.modified), "Created": dbus.MakeVariant(it.modified),
			}}}
		})
	},
	"GetSecret": func(f *scripted, m *dbus.Message) reply {
		return f.ofItem(m, func(it *kept) reply {
			s, ok := f.sessions[m.Body[0].(dbus.ObjectPath)]
			if !ok {
				return reply{err: noSession}
			}
			return f.sealed(s, it)
		})
	},
	"SetSecret": func(f *scripted, m *dbus.Message) reply {
		return f.ofItem(m, func(it *kept) reply { return f.store(it, m.Body[0]) })
	},
	"Delete": func(f *scripted, m *dbus.Message) reply {
		return f.ofItem(m, func(*kept) reply {
			delete(f.items, path(m))
			return reply{body: []any{none}}
		})
	},
	"Unlock": func(f *scripted, m *dbus.Message) reply {
		if f.locked {
			return reply{body: []any{[]dbus.ObjectPath{}, scriptedPrompt}}
		}
		return reply{body: []any{m.Body[0], none}}
	},
	"CreateCollection": func(*scripted, *dbus.Message) reply { return reply{body: []any{none, scriptedPrompt}} },
	"Prompt":           (*scripted).prompt,
	"Dismiss":          func(f *scripted, m *dbus.Message) reply { return reply{} },
}

func path(m *dbus.Message) dbus.ObjectPath {
	p, _ := m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	return p
}

func (f *scripted) next(kind string) dbus.ObjectPath {
	f.numbers++
	return dbus.ObjectPath(fmt.Sprintf("%s/%s%d", servicePath, kind, f.numbers))
}

func (f *scripted) openSession(m *dbus.Message) reply {
	if m.Body[0] != algorithm {
		return reply{err: notSupported}
	}
	theirs, _ := m.Body[1].(dbus.Variant).Value().([]byte)
	ours, err := newExchange()
	if err != nil {
		return reply{err: err.Error()}
	}
	key, err := ours.key(theirs)
	if err != nil {
		return reply{err: "org.freedesktop.DBus.Error.InvalidArgs"}
	}
	s := session{path: f.next("session/s"), key: key}
	f.sessions[s.path] = s
	return reply{body: []any{dbus.MakeVariant(ours.public.Bytes()), s.path}}
}

func (f *scripted) search(m *dbus.Message) reply {
	sought, _ := m.Body[0].(map[string]string)
	found := []dbus.ObjectPath{}
	for _, p := range slices.Sorted(maps.Keys(f.items)) {
		if includes(f.items[p].attributes, sought) {
			found = append(found, p)
		}
	}
	switch {
	case path(m) != servicePath:
		return reply{body: []any{found}}
	case f.locked:
		return reply{body: []any{[]dbus.ObjectPath{}, found}}
	default:
		return reply{body: []any{found, []dbus.ObjectPath{}}}
	}
}

func includes(all, some map[string]string) bool {
	for name, value := range some {
		if has, ok := all[name]; !ok || has != value {
			return false
		}
	}
	return true
}

func (f *scripted) create(m *dbus.Message) reply {
	if f.locked {
		return reply{err: isLocked}
	}
	properties, _ := m.Body[0].(map[string]dbus.Variant)
	attributes, _ := properties[itemInterface+"Attributes"].Value().(map[string]string)
	label, _ := properties[itemInterface+"Label"].Value().(string)
	p, it := dbus.ObjectPath(""), &kept{attributes: attributes}
	for at, old := range f.items {
		if maps.Equal(old.attributes, attributes) && m.Body[2] == true {
			p, it = at, old
		}
	}
	it.label = label
	if r := f.store(it, m.Body[1]); r.err != "" {
		return r
	}
	if p == "" {
		p = f.next("collection/main/")
	}
	f.items[p] = it
	return reply{body: []any{p, none}}
}

// store keeps the Secret of a message.
func (f *scripted) store(it *kept, body any) reply {
	var sealed secret
	err := dbus.Store([]any{body}, &sealed)
	s, known := f.sessions[sealed.Session]
	if err != nil || !known {
		return reply{err: noSession}
	}
	data, err := s.open(sealed)
	if err != nil {
		return reply{err: "org.freedesktop.DBus.Error.InvalidArgs"}
	}
	it.data, it.contentType, it.modified = data, sealed.ContentType, uint64(time.Now().Unix())
	return reply{}
}

func (f *scripted) sealed(s session, it *kept) reply {
	sealed, err := s.seal(it.data)
	if err != nil {
		return reply{err: err.Error()}
	}
	sealed.ContentType = it.contentType
	return reply{body: []any{sealed}}
}

// ofItem lets f play a method of an item that is there and open.
func (f *scripted) ofItem(m *dbus.Message, play func(*kept) reply) reply {
	it := f.items[path(m)]
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	switch {
	case it == nil:
		return reply{err: noSuchObject}
	case f.locked && member != "GetAll":
		return reply{err: isLocked}
	default:
		return play(it)
	}
}

func (f *scripted) property(m *dbus.Message) reply {
	switch m.Body[1] {
	case "Locked":
		return reply{body: []any{dbus.MakeVariant(f.locked)}}
	case "Collections":
		all := []dbus.ObjectPath{}
		for _, p := range f.aliases {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
		return reply{body: []any{dbus.MakeVariant(all)}}
	default:
		return reply{err: "org.freedesktop.DBus.Error.InvalidArgs"}
	}
}

func (f *scripted) prompt(m *dbus.Message) reply {
	if f.person != nil {
		f.complete(m, f.person)
	}
	return reply{}
}

// complete answers the prompt of a message.
func (f *scripted) complete(m *dbus.Message, person func(dbus.ObjectPath) (bool, any)) {
	dismissed, result := person(path(m))
	_ = f.conn.Emit(path(m), promptInterface+"Completed", dismissed, dbus.MakeVariant(result))
}

// accepts unlocks the keyring, or makes a default one, as a person who enters
// the password.
func (f *scripted) accepts(dbus.ObjectPath) (bool, any) {
	f.locked = false
	f.aliases["default"] = scriptedCollection
	return false, []dbus.ObjectPath{scriptedCollection}
}

// add puts an item in that another program stored.
func (f *scripted) add(attributes map[string]string, data string) dbus.ObjectPath {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.next("collection/main/")
	f.items[p] = &kept{attributes: attributes, data: []byte(data), contentType: contentType, modified: uint64(f.numbers)}
	return p
}

// only is the single item that the service has.
func (f *scripted) only(t testing.TB) kept {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.items) != 1 {
		t.Fatalf("%d items", len(f.items))
	}
	for _, it := range f.items {
		return *it
	}
	panic("unreachable")
}

// inClear tells whether a message that the service got holds text.
func (f *scripted) inClear(text string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.gotten, func(m *dbus.Message) bool { return strings.Contains(fmt.Sprintf("%s", m.Body), text) })
}
