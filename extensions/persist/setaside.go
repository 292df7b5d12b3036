package persist

import (
	"context"
	"errors"

	"github.com/msalext/msalext/extensions/backend"
)

// setter is a store that moves what it can't read itself, since it has the bytes
// and nobody else does: an envelope.
type setter interface {
	SetAside(ctx context.Context, key, to string) error
}

// setAside moves an item that the store can't read to another key of the store.
func (s *shared) setAside(ctx context.Context, e setter, key string) (string, error) {
	for _, name := range asides(key) {
		_, err := bounded(ctx, s, "quarantine", func(ctx context.Context) (struct{}, error) {
			return struct{}{}, e.SetAside(ctx, key, name)
		})
		if !errors.Is(err, backend.ErrConflict) {
			return name, err
		}
	}
	return "", s.fail("quarantine", errNoName)
}
