package envelope

import (
	"context"
	"errors"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
)

// errLapsed: the key is gone for ever, as was to be expected; see [Lapser].
var errLapsed = errors.New("its key has lapsed")

// Load returns the item, decrypted. ErrDecrypt: its key is missing, it isn't
// encrypted, it belongs to another item or store id, or a newer version wrote
// it. ErrCorrupt: it is damaged. Else the error of the inner store or of the
// keys' source.
func (s *Store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := s.inner.Load(ctx, key, have)
	if err != nil || blob.Unchanged {
		return blob, err
	}
	data, err := s.decrypt(ctx, key, blob.Data)
	if errors.Is(err, errLapsed) {
		s.tellLapsed()
		err = &backend.Error{Kind: backend.ErrNotFound, Err: errors.New("what was stored lapsed with its key")}
	}
	if err != nil { // without a version: nobody shall write over what can't be read
		return backend.Blob{}, s.fail("load", err)
	}
	return backend.Blob{Data: data, Version: blob.Version}, nil
}

func (s *Store) decrypt(ctx context.Context, key string, stored []byte) ([]byte, error) {
	h, body, err := parse(stored)
	if err != nil {
		return nil, err
	}
	if err := s.placed(); err != nil {
		return nil, err
	}
	k, err := s.ring.find(ctx, h.id)
	switch {
	case errors.Is(err, errNoKey) && s.lapsed(h.id):
		return nil, errLapsed
	case errors.Is(err, errNoKey):
		return nil, keyless(h.id)
	case err != nil:
		return nil, err
	}
	data, err := h.open(k.Secret, place{s.id, key}, body)
	if err != nil {
		return nil, unopened(h.id)
	}
	s.proven.Store(true)
	if a, ok := s.keys.(adopter); ok {
		a.adopt(k)
	}
	return data, nil
}

// adopter are keys that prefer to write with a key that is in use already.
type adopter interface{ adopt(Key) }

// Save encrypts and stores. ErrEncrypt: there is no key, and none can be made.
// ErrDecrypt, ErrCorrupt: what is stored can't be read, or its key is missing,
// so nothing was stored. Else as [Store.Load] and the inner store's Save.
func (s *Store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	sealed, err := s.encrypt(ctx, key, data)
	if err != nil {
		return backend.None, s.fail("save", err)
	}
	v, err := s.inner.Save(ctx, key, sealed, base)
	if !errors.Is(err, backend.ErrConflict) {
		return v, err
	}
	return s.overUnreadable(ctx, key, sealed, base, err)
}

func (s *Store) encrypt(ctx context.Context, key string, data []byte) ([]byte, error) {
	if err := s.acceptable(ctx, data); err != nil {
		return nil, err
	}
	k, err := s.ring.writer(ctx)
	if errors.Is(err, errNoKey) {
		k, err = s.create(ctx, key)
	}
	if err == nil {
		err = s.sound(ctx)
	}
	if err != nil {
		return nil, err
	}
	return seal(k, place{s.id, key}, data)
}

func (s *Store) acceptable(ctx context.Context, data []byte) error {
	switch limit := s.info.MaxBytes; {
	case len(data) == 0:
		return &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("there is nothing to save"), Hint: "Delete removes an item"}
	case limit > 0 && int64(len(data)) > limit:
		return &backend.Error{Kind: backend.ErrTooLarge, Err: fmt.Errorf("%d bytes, and with the envelope the store takes %d", len(data), limit),
			Hint: "choose a backend without such a limit, or a key per user"}
	case ctx.Err() != nil:
		return ctx.Err()
	case s.closed.Load():
		return backend.ErrClosed
	}
	return s.placed()
}

// overUnreadable says why a Save conflicted: where what is stored can't be
// read, trying again would not help. The ciphertext of a lapsed key, which
// callers were told isn't there, makes room.
func (s *Store) overUnreadable(ctx context.Context, key string, sealed []byte, base backend.Version, conflict error) (backend.Version, error) {
	blob, err := s.inner.Load(ctx, key, backend.None)
	if err != nil {
		return backend.None, conflict
	}
	switch _, err = s.decrypt(ctx, key, blob.Data); {
	case errors.Is(err, errLapsed) && base == backend.None:
		if err := s.putAside(ctx, key, blob.Data); err != nil {
			return backend.None, err
		}
		return s.inner.Save(ctx, key, sealed, blob.Version)
	case errors.Is(err, backend.ErrDecrypt), errors.Is(err, backend.ErrCorrupt):
		return backend.None, s.fail("save", err)
	}
	return backend.None, conflict
}

// Delete removes the item, as the inner store does.
func (s *Store) Delete(ctx context.Context, key string, base backend.Version) error {
	err := s.inner.Delete(ctx, key, base)
	if base == backend.None && errors.Is(err, backend.ErrConflict) && s.holdsLapsed(ctx, key) {
		return nil // callers were told that nothing is there
	}
	return err
}
