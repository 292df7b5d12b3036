package backendtest

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

func processFaults() []fault {
	return []fault{{
		"loses what other processes write",
		"Several processes change one item, and no change is lost; whoever reads meanwhile gets whole values.",
		losesOthersWrites,
	}}
}

// job is what another process has to do.
type job struct {
	Key    string
	Size   int
	Rounds int
	Turns  string // a directory to take turns by; empty: the store compares and swaps
}

// Work does in another process what a case needs there, on a store that the
// caller opened on the same items and closes. The job is a line of text that
// the kit gave to [Processes]. ctx should be bounded.
func Work(ctx context.Context, s backend.Store, jobText string) error {
	var j job
	if err := json.Unmarshal([]byte(jobText), &j); err != nil {
		return fmt.Errorf("this isn't a job of backendtest: %w", err)
	}
	n := counter{key: j.Key, size: j.Size, turn: together}
	if j.Turns != "" {
		n.turn = inTurnBy(j.Turns)
	}
	return n.up(ctx, s, j.Rounds)
}

func losesOthersWrites(c *trial) {
	const processes = 3
	h, ok := c.harness.(Processes)
	if !ok {
		c.Logf("nothing to test: the harness has no other processes")
		return
	}
	s := c.open()
	j := job{Key: "k", Size: fitting(s, 20<<10), Rounds: 15}
	if s.Info().Caps&backend.CanCAS == 0 {
		j.Turns = filepath.Join(c.TempDir(), "turns")
	}
	c.workWhileReading(h, s, j, processes)
	n := counter{key: j.Key}
	if at, _, err := n.now(c.ctx, s); err != nil || at != processes*j.Rounds {
		c.Errorf("after %d changes by %d processes the value is %d, %v", processes*j.Rounds, processes, at, err)
	}
}

func (c *trial) workWhileReading(h Processes, s backend.Store, j job, processes int) {
	c.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		c.Fatalf("encode a job: %v", err)
	}
	reading, stop := context.WithCancel(c.ctx)
	defer stop()
	seen := &sightings{numbers: map[backend.Version]int{}}
	c.beside(func() { c.watchValues(reading, s, counter{key: j.Key}, seen) })
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			if err := h.Work(c.ctx, string(text)); err != nil {
				c.Errorf("another process: %v", err)
			}
		})
	}
	wg.Wait()
}
