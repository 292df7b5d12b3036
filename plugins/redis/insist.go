package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// in runs fn again and again while what fails may pass: a server that is
// restarted, a failover. It ends some time before ctx does, so that whoever set
// that deadline learns what is wrong, or after most.
//
// fn gets a ctx with a deadline. When the caller's ctx ends, or the store is
// closed, it is left behind, so it must not use what the caller owns.
func in[T any](ctx context.Context, s *store, most time.Duration, fn func(context.Context) (T, error)) (T, error) {
	v, err := beside(ctx, s, most, func(ctx context.Context) (T, error) { return insist(ctx, s, fn) })
	return v, s.explain(ctx, err)
}

// beside runs fn once, and leaves its error as it is. It does so in a goroutine,
// since go-redis goes by a ctx's deadline and not by its cancellation.
func beside[T any](ctx context.Context, s *store, most time.Duration, fn func(context.Context) (T, error)) (T, error) {
	var none T
	if err := s.usable(ctx); err != nil {
		return none, err
	}
	limited, cancel := context.WithTimeout(ctx, patience(ctx, most))
	type result struct {
		value T
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		defer cancel()
		v, err := fn(limited)
		ended <- result{v, err}
	}()
	select {
	case r := <-ended:
		if r.err != nil {
			return none, r.err
		}
		return r.value, nil
	case <-ctx.Done():
		return none, ctx.Err()
	case <-s.life.Done():
		return none, backend.ErrClosed
	}
}

// patience leaves a sixth of the caller's time for what comes after.
func patience(ctx context.Context, most time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(time.Until(deadline)*5/6, most)
	}
	return most
}

func insist[T any](ctx context.Context, s *store, fn func(context.Context) (T, error)) (T, error) {
	const longest = 100 * time.Millisecond
	var reason error
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, longest) {
		v, err := fn(ctx)
		if !passing(err) {
			return v, err
		}
		if reason == nil || !late(err) { // that the time ran out is no reason where there was another
			reason = err
		}
		s.client.relearn(ctx)
		select {
		case <-ctx.Done():
			return v, reason
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}

// explain is the reason of a call that failed.
func (s *store) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case s.life.Err() != nil:
		return backend.ErrClosed
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || late(err)):
		return ctx.Err()
	}
	return explain(err)
}
