package envelope

import (
	"context"

	"github.com/msalext/msalext/extensions/backend"
)

// Discard removes an item whatever it holds, also what can't be decrypted: it is
// how Persistence.Purge removes what nobody can read. ErrNotFound: nothing is
// stored. ErrConflict: somebody changed the item meanwhile.
func (s *Store) Discard(ctx context.Context, key string) error {
	blob, err := s.inner.Load(ctx, key, backend.None)
	if err != nil {
		return err
	}
	return s.inner.Delete(ctx, key, blob.Version)
}
