package wire

import (
	"sync"
	"testing"
)

// TestPrepareAtOnce is both sides in one process, as programs are that serve
// themselves: the race detector watches.
func TestPrepareAtOnce(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for range 4 {
		all.Go(Prepare)
	}
	all.Wait()
}
