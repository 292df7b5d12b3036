package persist

import (
	"bytes"
	"errors"
	"runtime"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// applying is the set of change functions that run in this process. An Update
// of the same item from within would wait for itself for ever, and nothing in
// its arguments tells: fn has no context of its own.
var applying sync.Map // of application

// application names an item across all Persistences of the process, since the
// lock that would block is the file's, and the goroutine that changes it.
type application struct{ backend, path, goroutine string }

func (s *shared) application(key string) application {
	return application{s.name, s.path(key), goroutine()}
}

// enter refuses a call from within the change function of the same item.
func (s *shared) enter(op, key string) error {
	if _, busy := applying.Load(s.application(key)); !busy {
		return nil
	}
	return &backend.Error{Op: op, Backend: s.name, Kind: backend.ErrInvalid,
		Err:  errors.New("called from within the function that Update runs on the same item"),
		Hint: "return the change from that function instead"}
}

func (s *shared) apply(key string, fn func([]byte) ([]byte, error), old []byte) ([]byte, error) {
	here := s.application(key)
	applying.Store(here, nil)
	defer applying.Delete(here)
	return fn(old)
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
