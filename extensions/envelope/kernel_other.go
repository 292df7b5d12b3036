//go:build !linux

package envelope

import (
	"context"
	"errors"

	"github.com/msalext/msalext/extensions/backend"
)

// kernel is the keyring of a kernel that has none.
type kernel struct{}

func newKernel(string) kernel { return kernel{} }

func (kernel) Keys(context.Context) (Key, []Key, error) { return Key{}, nil, notLinux() }

func (kernel) CreateKey(context.Context) error { return notLinux() }

func (kernel) now() (era, error) { return era{}, notLinux() }

func notLinux() error {
	return &backend.Error{Op: "open the kernel keyring", Kind: backend.ErrUnsupported, Err: errors.New("only Linux has one"),
		Hint: "use the system's key store"}
}
