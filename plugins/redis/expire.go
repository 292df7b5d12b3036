package redis

import (
	"context"
	"time"
)

// Expire sets an item's time to live, in whole milliseconds, which the setting
// ttl then leaves alone.
func (s *store) Expire(ctx context.Context, key string, ttl time.Duration) error {
	_, err := in(ctx, s, s.limits.answer, func(ctx context.Context) (struct{}, error) {
		a, err := s.eval(ctx, expireScript, key, milliseconds(ttl))
		if err == nil {
			_, err = a.status()
		}
		return struct{}{}, err
	})
	return fail("expire", err)
}

// milliseconds rounds up, since 0 is for ever. 100 years are what Redis' sums of
// times can take.
func milliseconds(ttl time.Duration) int64 {
	const century = 100 * 365 * 24 * time.Hour
	if ttl <= 0 {
		return 0
	}
	return int64((min(ttl, century) + time.Millisecond - 1) / time.Millisecond)
}
