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
// may be repeated.
//
// What Quarantine moved aside and can't be read stays as it is, and so does every
// copy that is a file: once its key is retired, nothing opens it. Restore such a
// copy first where it is still wanted.
//
// ErrUnsupported: no envelope encrypts the store; or it neither lists nor has files,
// or a file's name doesn't tell the key, so nobody knows whether these are all items.
// Then nothing was encrypted anew: call Rewrap for each item.
func (p *Persistence) RewrapAll(ctx context.Context) error {
	s, r, err := p.rewrapper(ctx)
	if err != nil {
		return err
	}
	keys, err := s.everything(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := s.rewrap(ctx, r, key); err != nil && !(s.isAside(key) && unreadable(err)) {
			return err
		}
	}
	return nil
}

// everything names all items, or none: who believes that they were all encrypted
// anew removes the key of those that weren't.
func (s *shared) everything(ctx context.Context) ([]string, error) {
	if _, can := backend.Can[backend.Lister](s.store, backend.CanList); !can && s.info.Stamp == backend.StampNone {
		return nil, &backend.Error{Op: "rewrap", Backend: s.name, Kind: backend.ErrUnsupported,
			Err: errors.New("this store can't tell what it holds"), Hint: hintRewrap}
	}
	return s.all(ctx, "rewrap", nil)
}

const hintRewrap = "rewrap each item, by Persistence.Key(name).Rewrap"

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
