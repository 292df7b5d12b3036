package persist

import (
	"context"
	"errors"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// Expire lets the store drop the item once ttl has passed, counted from this
// call; 0 or less: never. It is for what belongs to a session: nobody has to
// sweep up after those who don't sign out. Then the item isn't stored, as after
// Delete. Changes keep the time; Migrate and Quarantine don't take it along.
//
//	if err := p.Key(session).Expire(ctx, 8*time.Hour); err != nil { … } // after each sign-in
//
// ErrNotFound: nothing is stored yet. ErrUnsupported: this kind of store keeps
// items for ever. ErrTimeout: it had no answer within 3 seconds.
func (p *Persistence) Expire(ctx context.Context, ttl time.Duration) error {
	s, err := p.join(ctx)
	if err != nil {
		return err
	}
	e, can := backend.Can[backend.Expirer](s.store, backend.CanExpire)
	if !can {
		return &backend.Error{Op: "expire", Backend: s.name, Kind: backend.ErrUnsupported,
			Err: errors.New("this store keeps items for ever"), Hint: "delete the item when its time has come, or choose a store such as sqlite or redis"}
	}
	return s.exclusively(ctx, "expire", p.key, func(ctx context.Context, _ func() error) error {
		if err := s.checkLocation(); err != nil {
			return err
		}
		_, err := bounded(ctx, s, "expire", func(ctx context.Context) (struct{}, error) {
			return struct{}{}, e.Expire(ctx, p.key, ttl)
		})
		return err
	})
}
