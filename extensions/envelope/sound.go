package envelope

import (
	"context"
	"errors"

	"github.com/msalext/msalext/extensions/backend"
)

// mostSamples bounds how many listed items are looked at.
const mostSamples = 3

// sound tells that the keys are those that the store was encrypted with so far.
// Else a wrong passphrase, or a key that took a lost one's place, would encrypt
// new items beside old ones, and no key would open both. It looks at a few items
// before the first Save, unless something was opened already.
//
// Only a missing key counts, and only if no item's key is there: one damaged or
// forgotten item must not stop a server.
func (s *Store) sound(ctx context.Context) error {
	if s.proven.Load() {
		return nil
	}
	keys, err := s.samples(ctx)
	if err != nil {
		return err
	}
	var missing error
	for _, key := range keys {
		found, err := s.sampled(ctx, key)
		switch {
		case found:
			s.proven.Store(true)
			return nil
		case errors.Is(err, backend.ErrDecrypt):
			missing = err
		case err != nil:
			return err
		}
	}
	s.proven.Store(missing == nil)
	return missing
}

func (s *Store) samples(ctx context.Context) ([]string, error) {
	keys := []string{""}
	l, ok := backend.Can[backend.Lister](s.inner, backend.CanList)
	if !ok {
		return keys, nil
	}
	for info, err := range l.Keys(ctx, "") {
		if err != nil {
			return nil, err
		}
		if isAside(info.Key) {
			continue
		}
		if keys = append(keys, info.Key); len(keys) > mostSamples {
			break
		}
	}
	return keys, nil
}

// sampled tells whether the key of an item is there. Neither that nor an error:
// the item says nothing.
func (s *Store) sampled(ctx context.Context, key string) (bool, error) {
	blob, err := s.inner.Load(ctx, key, backend.None)
	if errors.Is(err, backend.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	h, _, err := parse(blob.Data)
	if err != nil {
		return false, nil
	}
	_, err = s.ring.find(ctx, h.id)
	switch {
	case errors.Is(err, errNoKey) && s.lapsed(h.id):
		return false, nil
	case errors.Is(err, errNoKey):
		return false, keyless(h.id)
	}
	return err == nil, err
}
