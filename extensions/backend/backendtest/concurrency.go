package backendtest

import (
	"context"
	"errors"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

func concurrencyFaults() []fault {
	const doc = "While others write, Load returns whole values only, each with its own version."
	return []fault{
		{"shows half-written items", doc, func(c *trial) {
			s := c.open()
			c.wholeWhile(s, s)
		}},
		{"shows half-written items to another store", doc, func(c *trial) { c.wholeWhile(c.open(), c.reopen()) }},
		{"lets two writers win", "Of several saves over one version, also through several stores, exactly one succeeds.", twoWinners},
	}
}

// turns are taken only where the store doesn't compare and swap by itself.
func turns(s backend.Store) exclusive {
	if s.Info().Caps&backend.CanCAS != 0 {
		return together
	}
	return inTurn()
}

// wholeWhile writes through one store and reads through another.
func (c *trial) wholeWhile(writer, reader backend.Store) {
	c.Helper()
	const writers, readers, rounds = 2, 2, 15
	n := counter{key: "k", size: fitting(writer, 30<<10), turn: turns(writer)}
	seen := &sightings{numbers: map[backend.Version]int{}}
	reading, stop := context.WithCancel(c.ctx)
	defer stop()
	var wg sync.WaitGroup
	for range readers {
		c.beside(func() { c.watchValues(reading, reader, n, seen) })
	}
	for range writers {
		wg.Go(func() {
			if err := n.up(c.ctx, writer, rounds); err != nil {
				c.Errorf("a writer: %v", err)
			}
		})
	}
	wg.Wait()
}

// watchValues reads until ctx ends, and reports the first defect.
func (c *trial) watchValues(ctx context.Context, s backend.Store, n counter, seen *sightings) {
	for {
		at, v, err := n.now(ctx, s)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.Errorf("a reader: %v", err)
			return
		case !seen.agree(v, at):
			c.Errorf("different values have version %s", short(v))
			return
		}
	}
}

// sightings are which value each version stood for.
type sightings struct {
	mu      sync.Mutex
	numbers map[backend.Version]int
}

func (s *sightings) agree(v backend.Version, number int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.numbers[v]
	s.numbers[v] = number
	return !ok || before == number
}

// twoWinners lets several writers save at once over the version that all of
// them have seen.
func twoWinners(c *trial) {
	const rounds = 20
	stores := []backend.Store{c.open(), c.reopen()}
	turn := turns(stores[0])
	base := backend.None
	for i := range rounds {
		winners := c.contest(stores, turn, base, i)
		if len(winners) != 1 {
			c.Fatalf("%d saves over version %s succeeded, want 1", len(winners), short(base))
		}
		blob := c.load(stores[i%len(stores)], "k")
		if number, whole := numberIn(blob.Data); !whole || number != winners[0] {
			c.Fatalf("save %d won, and %d is stored (whole: %v)", winners[0], number, whole)
		}
		base = blob.Version
	}
}

// contest saves a value of its own number from each writer, and returns the
// numbers of those that succeeded.
func (c *trial) contest(stores []backend.Store, turn exclusive, base backend.Version, round int) (winners []int) {
	c.Helper()
	const writers = 4
	var start, wg sync.WaitGroup
	var mu sync.Mutex
	start.Add(1)
	for i := range writers {
		number, s := round*writers+i, stores[i%len(stores)]
		wg.Go(func() {
			start.Wait()
			err := turn(c.ctx, func() error { return saveError(c.ctx, s, "k", value(number, fitting(s, 1000)), base) })
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				winners = append(winners, number)
			case !errors.Is(err, backend.ErrConflict):
				c.Errorf("a writer: %v", err)
			}
		})
	}
	start.Done()
	wg.Wait()
	return winners
}
