package web

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// maxUsed bounds the memory for used states to some megabytes; then the oldest
// go first.
const maxUsed = 1 << 14

// usedStates remembers which sign-ins were finished here, as long as their
// cookies could be sent again. What another process finished the identity
// provider refuses: a code is redeemed once. The zero value is ready.
type usedStates struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]struct{}
	order list.List // of usedState, the oldest in front
}

type usedState struct {
	sum   [sha256.Size]byte
	until time.Time
}

// use notes a state, and tells whether it is the first time.
func (u *usedStates) use(state string, until time.Time) bool {
	sum := sha256.Sum256([]byte(state))
	u.mu.Lock()
	defer u.mu.Unlock()
	u.forget(time.Now())
	if _, before := u.known[sum]; before {
		return false
	}
	if u.known == nil {
		u.known = map[[sha256.Size]byte]struct{}{}
	}
	u.known[sum] = struct{}{}
	u.order.PushBack(usedState{sum, until})
	return true
}

// has tells whether a state was noted.
func (u *usedStates) has(state string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, noted := u.known[sha256.Sum256([]byte(state))]
	return noted
}

// forget drops what has expired, and the oldest where there are too many; u.mu
// is held.
func (u *usedStates) forget(now time.Time) {
	for first := u.order.Front(); first != nil; first = u.order.Front() {
		oldest := first.Value.(usedState)
		if u.order.Len() < maxUsed && now.Before(oldest.until) {
			return
		}
		u.order.Remove(first)
		delete(u.known, oldest.sum)
	}
}
