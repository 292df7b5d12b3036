package persist

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// applying holds the goroutines that run a change function in this process. An
// Update of the same item from within would wait for itself for ever, and
// nothing in its arguments tells: fn has no context of its own.
var applying = struct {
	sync.Mutex
	to map[item][]string
}{to: map[item][]string{}}

// item names an item across all Persistences of the process, since the lock that
// would block is the file's.
type item struct{ backend, path string }

func (s *shared) item(key string) item { return item{s.name, s.path(key)} }

// enter refuses a call from within the change function of the same item.
func (s *shared) enter(op, key string) error {
	at := s.item(key)
	applying.Lock()
	appliers := slices.Clone(applying.to[at])
	applying.Unlock()
	// Mostly there are none, and to tell which goroutine this is takes long.
	if len(appliers) == 0 || !slices.Contains(appliers, goroutine()) {
		return nil
	}
	return &backend.Error{Op: op, Backend: s.name, Kind: backend.ErrInvalid,
		Err:  errors.New("called from within the function that Update runs on the same item"),
		Hint: "return the change from that function instead"}
}

// marked is fn for the goroutine that calls marked: while it runs, that
// goroutine can't enter the item again. It is called where the stack is still
// low, since goroutine looks at all of it.
func (s *shared) marked(key string, fn func([]byte) ([]byte, error)) func([]byte) ([]byte, error) {
	at, here := s.item(key), goroutine()
	return func(old []byte) ([]byte, error) {
		applying.Lock()
		applying.to[at] = append(applying.to[at], here)
		applying.Unlock()
		defer func() {
			applying.Lock()
			defer applying.Unlock()
			others := slices.DeleteFunc(applying.to[at], func(id string) bool { return id == here })
			if applying.to[at] = others; len(others) == 0 {
				delete(applying.to, at)
			}
		}()
		return fn(old)
	}
}

// goroutine is the running goroutine's number, as the first line of its stack
// trace gives it: "goroutine 7 [running]:".
func goroutine() string {
	buf := make([]byte, 64)
	fields := bytes.Fields(buf[:runtime.Stack(buf, false)])
	if len(fields) < 2 {
		return ""
	}
	return string(fields[1])
}
