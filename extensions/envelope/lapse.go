package envelope

import (
	"context"
	"errors"

	"github.com/msalext/msalext/extensions/backend"
)

func (s *Store) lapsed(id string) bool {
	l, ok := s.keys.(Lapser)
	return ok && l.Lapsed(id)
}

func (s *Store) tellLapsed() {
	s.warned.Do(func() {
		s.log.Warn("msalext: the key of what was stored is gone, as it goes at each reboot; people have to sign in again", "backend", s.name)
	})
}

// holdsLapsed tells whether what is stored is the ciphertext of a lapsed key.
func (s *Store) holdsLapsed(ctx context.Context, key string) bool {
	blob, err := s.inner.Load(ctx, key, backend.None)
	if err != nil {
		return false
	}
	_, err = s.decrypt(ctx, key, blob.Data)
	return errors.Is(err, errLapsed)
}

// putAside keeps the ciphertext of a lapsed key under a key of its own until
// the next one lapses. Nobody can read it; it is kept in case that is wrong.
func (s *Store) putAside(ctx context.Context, key string, stored []byte) error {
	if isLapsed(key) {
		return nil
	}
	at := key + asideMark
	before, err := s.inner.Load(ctx, at, backend.None)
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		return err
	}
	_, err = s.inner.Save(ctx, at, stored, before.Version)
	return err
}

// SetAside moves an item that can't be read to another key, as it is stored; at
// its old key it can be read again should its own key come back. It is what
// Persistence.Quarantine does where items are no files, under the item's lock.
//
// ErrConflict: something is stored at to, or the item changed meanwhile.
// ErrInvalid: the item can be read.
func (s *Store) SetAside(ctx context.Context, key, to string) error {
	blob, err := s.inner.Load(ctx, key, backend.None)
	if err != nil {
		return err
	}
	_, err = s.decrypt(ctx, key, blob.Data)
	switch {
	case err == nil, errors.Is(err, errLapsed):
		return s.fail("set aside", &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("the item can be read"), Hint: "load it"})
	case !errors.Is(err, backend.ErrDecrypt) && !errors.Is(err, backend.ErrCorrupt):
		return s.fail("set aside", err)
	}
	if _, err := s.inner.Save(ctx, to, blob.Data, backend.None); err != nil {
		return err
	}
	return s.inner.Delete(ctx, key, blob.Version)
}
