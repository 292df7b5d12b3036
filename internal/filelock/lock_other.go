//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package filelock

import (
	"errors"
	"os"

	"github.com/msalext/msalext/extensions/backend"
)

type platform struct{}

func enterQueue(string, bool) (*os.File, error) {
	return nil, &backend.Error{
		Op: "lock", Kind: backend.ErrUnsupported,
		Err: errors.New("this system has no file locks"), Hint: "use a store that needs none",
	}
}

func (t *taking) try() (*Lock, error) { return nil, errNoFlock }
func (l *Lock) free() error           { return l.file.Close() }
func discard(_ string, f *os.File)    { _ = f.Close() }
func lookUp(int) process              { return process{} }
func pidNamespace() string            { return "" }
