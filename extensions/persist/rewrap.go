package persist

import (
	"context"
	"errors"

	"github.com/msalext/msalext/extensions/backend"
)

// rewrapper is a store that encrypts and has more than one key, as package
// envelope makes them.
type rewrapper interface {
	Refresh()
	Ready(ctx context.Context) error
	Rewrap(ctx context.Context, key string, publish func() error) (was, now backend.Version, err error)
}

// Rewrap encrypts the item anew where an envelope's first key has changed since
// it was stored; its content stays. Nothing stored is no error.
//
// ErrUnsupported: no envelope encrypts the store. ErrDecrypt: the item's key is
// missing, so it stays as it is.
func (p *Persistence) Rewrap(ctx context.Context) error {
	s, r, err := p.rewrapper(ctx)
	if err != nil {
		return err
	}
	return s.rewrap(ctx, r, p.key)
}

// RewrapAll is Rewrap for every item of the store: those that it lists, else
// those whose files lie beside the location. It ends at the first that fails, and
// may be repeated. Where a store neither lists nor has files, it is Rewrap of the
// main item alone.
func (p *Persistence) RewrapAll(ctx context.Context) error {
	s, r, err := p.rewrapper(ctx)
	if err != nil {
		return err
	}
	keys, err := (&migration{from: s}).list(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := s.rewrap(ctx, r, key); err != nil {
			return err
		}
	}
	return nil
}

func (p *Persistence) rewrapper(ctx context.Context) (*shared, rewrapper, error) {
	s, err := p.join(ctx)
	if err != nil {
		return nil, nil, err
	}
	r, ok := s.store.(rewrapper)
	if !ok {
		return nil, nil, &backend.Error{Op: "rewrap", Backend: s.name, Kind: backend.ErrUnsupported,
			Err: errors.New("no envelope encrypts this store"), Hint: "set Options.Envelope"}
	}
	r.Refresh()
	// A passphrase takes time, which there is little of under the lock.
	return s, r, s.fail("rewrap", r.Ready(ctx))
}

func (s *shared) rewrap(ctx context.Context, r rewrapper, key string) error {
	return s.exclusively(ctx, "rewrap", key, func(ctx context.Context, publish func() error) error {
		if err := s.checkLocation(); err != nil {
			return err
		}
		ended := s.own.begin(key)
		type versions struct{ was, now backend.Version }
		v, err := bounded(ctx, s, "rewrap", func(ctx context.Context) (versions, error) {
			was, now, err := r.Rewrap(ctx, key, publish)
			return versions{was, now}, err
		})
		ended(v.was, v.now, err)
		if v.was != v.now && !errors.Is(err, backend.ErrConflict) {
			s.signal(key)
			s.sign(key)
		}
		return err
	})
}
