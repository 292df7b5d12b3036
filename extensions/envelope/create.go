package envelope

import (
	"context"
	"errors"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
)

// create makes the first key, when an item is to be saved and there is none.
// Where anything is stored already, there was a key, and it is missing: one that
// took its place would hide that.
func (s *Store) create(ctx context.Context, key string) (Key, error) {
	c, ok := s.keys.(Creator)
	if !ok {
		return Key{}, &backend.Error{Kind: backend.ErrEncrypt, Err: errors.New("there is no key"),
			Hint: "put the key where this program looks for it"}
	}
	if err := s.vacant(ctx, key); err != nil {
		if k, kerr := s.ring.writer(ctx); kerr == nil { // who stored it made the key first
			return k, nil
		}
		return Key{}, err
	}
	if err := c.CreateKey(ctx); err != nil {
		return Key{}, uncreated(keyError(err))
	}
	k, err := s.ring.writer(ctx)
	return k, uncreated(err)
}

func uncreated(err error) error {
	if errors.Is(err, errNoKey) {
		return &backend.Error{Kind: backend.ErrEncrypt, Err: errors.New("there is no key, and none could be made"),
			Hint: "put the key where this program looks for it"}
	}
	return err
}

// vacant tells that nothing is stored which a missing key may belong to: not
// the item itself, nor the main item, nor another as far as the store lists.
func (s *Store) vacant(ctx context.Context, key string) error {
	for _, k := range []string{key, ""} {
		if err := s.vacantAt(ctx, k); err != nil {
			return err
		}
	}
	l, ok := backend.Can[backend.Lister](s.inner, backend.CanList)
	if !ok {
		return nil
	}
	for info, err := range l.Keys(ctx, "") {
		if err == nil && !isAside(info.Key) {
			err = s.vacantAt(ctx, info.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) vacantAt(ctx context.Context, key string) error {
	blob, err := s.inner.Load(ctx, key, backend.None)
	if errors.Is(err, backend.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	h, _, err := parse(blob.Data)
	switch {
	case err != nil:
		return err
	case s.lapsed(h.id):
		return nil
	}
	return &backend.Error{Kind: backend.ErrDecrypt, Err: fmt.Errorf("something is stored with the key %s, which is missing", h.id),
		Hint: "bring the key back to where this program looks for it; if it is lost for good, move all that is stored aside with Persistence.Quarantine, or use another location"}
}
