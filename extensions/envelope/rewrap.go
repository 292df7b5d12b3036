package envelope

import (
	"context"
	"errors"

	"github.com/msalext/msalext/extensions/backend"
)

// Refresh makes the next write ask the source of the keys which one is first.
// Without it a new first key is noticed after 5 minutes, or when something that
// is encrypted with it is read.
func (s *Store) Refresh() { s.ring.refresh() }

// Rewrap encrypts an item anew with the key that writes now, so that older keys
// can be given up; call [Store.Refresh] before the first. It returns the item's versions before and after, which are
// equal where nothing had to be done and None where nothing is stored.
//
// publish is called right before the write, and its error ends the call; nil:
// nothing is called. Whoever shares the store without CanCAS holds the item's
// lock meanwhile, as Persistence.Rewrap does. ErrConflict: somebody else changed
// the item; call again.
func (s *Store) Rewrap(ctx context.Context, key string, publish func() error) (was, now backend.Version, err error) {
	blob, err := s.inner.Load(ctx, key, backend.None)
	if errors.Is(err, backend.ErrNotFound) {
		return backend.None, backend.None, nil
	} else if err != nil {
		return backend.None, backend.None, err
	}
	sealed, err := s.renewed(ctx, key, blob.Data)
	switch {
	case errors.Is(err, errLapsed):
		return backend.None, backend.None, nil
	case err != nil:
		return backend.None, backend.None, s.fail("rewrap", err)
	case sealed == nil:
		return blob.Version, blob.Version, nil
	}
	if publish != nil {
		if err := publish(); err != nil {
			return blob.Version, blob.Version, err
		}
	}
	now, err = s.inner.Save(ctx, key, sealed, blob.Version)
	return blob.Version, now, err
}

// renewed is stored under the key that writes; nil: it is already.
func (s *Store) renewed(ctx context.Context, key string, stored []byte) ([]byte, error) {
	data, err := s.decrypt(ctx, key, stored)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	first, err := s.ring.writer(ctx)
	if err != nil {
		return nil, err
	}
	if h, _, err := parse(stored); err != nil || h.id == first.ID {
		return nil, err
	}
	return seal(first, place{s.id, key}, data)
}
