package backendtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// exclusive runs fn while no other writer runs, as the host's lock sees to for
// stores that don't compare and swap by themselves.
type exclusive func(ctx context.Context, fn func() error) error

func together(_ context.Context, fn func() error) error { return fn() }

func inTurn() exclusive {
	var mu sync.Mutex
	return func(_ context.Context, fn func() error) error {
		mu.Lock()
		defer mu.Unlock()
		return fn()
	}
}

// inTurnBy excludes other processes too, by a directory. It is fair to nobody
// and heals from no crash, which is enough for a case.
func inTurnBy(dir string) exclusive {
	return func(ctx context.Context, fn func() error) error {
		for os.Mkdir(dir, 0o700) != nil {
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for the other writers: %w", ctx.Err())
			case <-time.After(time.Millisecond):
			}
		}
		defer func() { _ = os.Remove(dir) }()
		return fn()
	}
}

// A counter is an item whose value is counted up by many writers: none of
// their changes may be lost.
type counter struct {
	key  string
	size int
	turn exclusive
}

// up counts up by rounds, each from what is stored then.
func (n counter) up(ctx context.Context, s backend.Store, rounds int) error {
	for done := 0; done < rounds; {
		err := n.turn(ctx, func() error { return n.once(ctx, s) })
		switch {
		case err == nil:
			done++
		case !errors.Is(err, backend.ErrConflict):
			return err
		}
	}
	return nil
}

func (n counter) once(ctx context.Context, s backend.Store) error {
	at, base, err := n.now(ctx, s)
	if err != nil {
		return err
	}
	return saveError(ctx, s, n.key, value(at+1, n.size), base)
}

var errTorn = errors.New("what was loaded is no value that anyone saved")

// now returns the number that is stored; nothing stored is 0.
func (n counter) now(ctx context.Context, s backend.Store) (int, backend.Version, error) {
	blob, err := s.Load(ctx, n.key, backend.None)
	switch {
	case errors.Is(err, backend.ErrNotFound):
		return 0, backend.None, nil
	case err != nil:
		return 0, backend.None, err
	}
	at, whole := numberIn(blob.Data)
	if !whole {
		return 0, backend.None, errTorn
	}
	return at, blob.Version, nil
}
