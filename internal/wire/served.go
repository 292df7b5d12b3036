package wire

import (
	"context"

	"github.com/msalext/msalext/extensions/backend"
)

// served is one open store.
type served struct {
	store backend.Store
	info  backend.Info
	ctx   context.Context // ends, with its cause, when the store closes
	end   context.CancelCauseFunc
}

func newServed(store backend.Store) *served {
	e := &served{store: store, info: store.Info()}
	e.info.Caps = implemented(store, e.info.Caps)
	e.ctx, e.end = context.WithCancelCause(context.Background())
	return e
}

// stream runs fn with a context that ends with the caller's or with the store.
func (e *served) stream(caller context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancel(caller)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	err := fn(ctx)
	switch {
	case caller.Err() != nil:
		return caller.Err()
	case e.ctx.Err() != nil:
		return context.Cause(e.ctx)
	}
	return err
}

// known are the powers that this version of the protocol carries.
const known = backend.CanWatch | backend.CanUnlock | backend.CanList | backend.CanExpire |
	backend.CanCheck | backend.CanCAS

// implemented masks what a store announces by what it has, so that a client
// never meets a power that isn't there.
func implemented(s backend.Store, c backend.Caps) backend.Caps {
	c &= known
	if _, ok := s.(backend.Watcher); !ok {
		c &^= backend.CanWatch
	}
	if _, ok := s.(backend.Unlocker); !ok {
		c &^= backend.CanUnlock
	}
	if _, ok := s.(backend.Lister); !ok {
		c &^= backend.CanList
	}
	if _, ok := s.(backend.Expirer); !ok {
		c &^= backend.CanExpire
	}
	if _, ok := s.(backend.Checker); !ok {
		c &^= backend.CanCheck
	}
	return c
}

// power returns an optional power that the store announced and has.
func power[T any](e *served, c backend.Caps) (T, error) {
	t, ok := e.store.(T)
	if !ok || e.info.Caps&c == 0 {
		return t, backend.ErrUnsupported
	}
	return t, nil
}
