package msal

import (
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/msalext/msalext/extensions/persist"
)

// clients tells MSAL clients apart by their cache in memory, which serves as
// Unmarshaler and Marshaler alike. It doesn't keep them alive: a server may
// make one for each person or request, and what is known of a client goes with
// it. None may go earlier, since without its base all that a client has in
// memory would look new, and undo what others did. The zero value is ready.
type clients struct {
	last atomic.Pointer[client] // mostly there is one
	mu   sync.Mutex
	byID map[uintptr]*client // by address
}

// client is what one MSAL client has in memory.
type client struct {
	address  uintptr
	memory   weak.Pointer[byte] // tells whether the address is still its own
	onBehalf bool

	mu   sync.Mutex
	base persist.View // what Replace gave it last
	// current: its memory still is what base holds.
	current bool
	// comparable: what its memory has beyond base isn't stored yet.
	comparable bool
	// copies are those that a sign-out was given beside base.
	copies aliasCopies

	people []string // whose tokens are in base, by home account id
	whole  bool     // base has those of everybody
	crowd  bool     // and will from now on
}

// of returns the state of the client with this cache.
func (cs *clients) of(memory any) *client {
	v := reflect.ValueOf(memory)
	if v.Kind() != reflect.Pointer {
		return &client{} // not MSAL's, and nothing to tell it by
	}
	start := (*byte)(v.UnsafePointer())
	if c := cs.last.Load(); c.is(start) {
		return c
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c := cs.byID[v.Pointer()]
	if !c.is(start) {
		c = &client{address: v.Pointer(), memory: weak.Make(start), onBehalf: onBehalfOf(memory)}
		if cs.byID == nil {
			cs.byID = map[uintptr]*client{}
		}
		cs.byID[c.address] = c
		runtime.AddCleanup(start, cs.forget, c)
	}
	cs.last.Store(c)
	return c
}

// is tells whether the client's memory starts there.
func (c *client) is(start *byte) bool { return c != nil && c.memory.Value() == start }

func (cs *clients) forget(c *client) {
	cs.last.CompareAndSwap(c, nil)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.byID[c.address] == c {
		delete(cs.byID, c.address)
	}
}

// few is of how many people a client's memory has the tokens, before it gets
// those of all: each one more makes MSAL read all of its memory again.
const few = 4

// holds tells whether the client's memory, as long as it is current, has all
// that MSAL looks for next.
func (c *client) holds(n need) bool {
	expected := c.expect(n.person)
	return c.whole || expected && !n.everybody
}

// expect notes that MSAL looks for the tokens of a person, and tells whether it
// did before. Nobody is ever left out again: another goroutine may be between
// its Replace and its search.
func (c *client) expect(person string) (before bool) {
	if person == "" || c.crowd || slices.Contains(c.people, person) {
		return true
	}
	c.people = append(c.people, person)
	c.crowd = len(c.people) > few
	return false
}

// share is what of view the client needs.
func (c *client) share(view persist.View, n need) persist.View {
	c.expect(n.person)
	if c.whole = c.crowd || n.everybody; c.whole {
		return view
	}
	part, ok := view.For(c.people...)
	if !ok { // what was taken for a person may be a key of another kind
		c.crowd, c.whole = true, true
		return view
	}
	return part
}
