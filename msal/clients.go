package msal

import (
	"reflect"
	"runtime"
	"sync"
	"weak"

	"github.com/msalext/msalext/extensions/persist"
)

// clients tells MSAL clients apart by their cache in memory, which serves as
// Unmarshaler and Marshaler alike. It doesn't keep them alive: a server may
// make one for each person or request, and what is known of a client goes with
// it. None may go earlier, since without its base all that a client has in
// memory would look new, and undo what others did. The zero value is ready.
type clients struct {
	mu   sync.Mutex
	byID map[weak.Pointer[byte]]*client
}

// client is what one MSAL client has in memory.
type client struct {
	mu   sync.Mutex
	base persist.View // what Replace gave it last
	// current: its memory still is what base holds.
	current bool
	// comparable: what its memory has beyond base isn't stored yet.
	comparable bool
}

// of returns the state of the client with this cache.
func (cs *clients) of(memory any) *client {
	v := reflect.ValueOf(memory)
	if v.Kind() != reflect.Pointer {
		return &client{} // not MSAL's, and nothing to tell it by
	}
	start := (*byte)(v.UnsafePointer())
	id := weak.Make(start)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c, ok := cs.byID[id]; ok {
		return c
	}
	if cs.byID == nil {
		cs.byID = map[weak.Pointer[byte]]*client{}
	}
	c := &client{}
	cs.byID[id] = c
	runtime.AddCleanup(start, cs.forget, id)
	return c
}

func (cs *clients) forget(id weak.Pointer[byte]) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.byID, id)
}
