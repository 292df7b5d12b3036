package envelope

import (
	"context"
	"errors"

	"github.com/msalext/msalext/extensions/backend"
)

// Several joins sources: the first writes, all read. It serves to change from
// one to another, say to a new passphrase: give the new one first in every program,
// then rewrap what is stored, then give the new one alone.
func Several(first Keys, others ...Keys) Keys {
	return &several{all: append([]Keys{first}, others...)}
}

type several struct {
	opaque
	all []Keys
}

var (
	_ Finder  = (*several)(nil)
	_ Creator = (*several)(nil)
	_ Lapser  = (*several)(nil)
)

func (s *several) Keys(ctx context.Context) (Key, []Key, error) { return s.all[0].Keys(ctx) }

// CreateKey asks the first source alone, since that one writes.
func (s *several) CreateKey(ctx context.Context) error {
	if c, ok := s.all[0].(Creator); ok {
		return c.CreateKey(ctx)
	}
	return &backend.Error{Op: "create a key", Kind: backend.ErrNotFound, Err: errors.New("there is no key")}
}

// Find looks through the sources. One that can't be reached may be the one that
// has the key, so its error counts where no other has it.
func (s *several) Find(ctx context.Context, id string) (Key, error) {
	missing := error(&backend.Error{Op: "find the key", Kind: backend.ErrNotFound, Err: errors.New(id)})
	for _, source := range s.all {
		k, err := findIn(ctx, source, id)
		if err == nil {
			return k, nil
		}
		if !errors.Is(err, backend.ErrNotFound) && errors.Is(missing, backend.ErrNotFound) {
			missing = err
		}
	}
	return Key{}, missing
}

func findIn(ctx context.Context, source Keys, id string) (Key, error) {
	if f, ok := source.(Finder); ok {
		return f.Find(ctx, id)
	}
	first, others, err := source.Keys(ctx)
	if err != nil {
		return Key{}, err
	}
	for _, k := range append([]Key{first}, others...) {
		if k.ID == id {
			return k, nil
		}
	}
	return Key{}, &backend.Error{Op: "find the key", Kind: backend.ErrNotFound, Err: errors.New(id)}
}

func (s *several) Lapsed(id string) bool {
	l, ok := s.all[0].(Lapser)
	return ok && l.Lapsed(id)
}

func (s *several) adopt(k Key) {
	for _, source := range s.all {
		if a, ok := source.(adopter); ok {
			a.adopt(k)
		}
	}
}

func (s *several) apartFrom(location string) error {
	for _, source := range s.all {
		if p, ok := source.(placed); ok {
			if err := p.apartFrom(location); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *several) Source() string {
	if n, ok := s.all[0].(Source); ok {
		return n.Source()
	}
	return "the application"
}
