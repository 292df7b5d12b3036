package msal

import (
	"container/list"
	"sync"

	"github.com/msalext/msalext/extensions/persist"
)

// maxClients bounds how many clients' states one accessor keeps. A state is
// needed from a Replace to the Export that follows within milliseconds, so
// only a client that has long been idle is dropped.
const maxClients = 256

// clients tells MSAL clients apart by their cache in memory, which serves as
// Unmarshaler and Marshaler alike. The zero value is ready.
type clients struct {
	mu     sync.Mutex
	recent list.List // of *client, last used first
	byID   map[any]*list.Element
}

// client is what one MSAL client has in memory.
type client struct {
	id   any
	mu   sync.Mutex
	base persist.View // what Replace gave it last
	// current: its memory still is what base holds.
	current bool
}

// of returns the state of the client with this cache.
func (cs *clients) of(id any) *client {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if e, ok := cs.byID[id]; ok {
		cs.recent.MoveToFront(e)
		return e.Value.(*client)
	}
	if cs.byID == nil {
		cs.byID = map[any]*list.Element{}
	}
	c := &client{id: id}
	cs.byID[id] = cs.recent.PushFront(c)
	if cs.recent.Len() > maxClients {
		oldest := cs.recent.Remove(cs.recent.Back()).(*client)
		delete(cs.byID, oldest.id)
	}
	return c
}
