//go:build interop

package interop

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// TestPythonNoticesWhileItLoads shows the write that Python used to overlook:
// one that comes while it loads. It notes the time of its load afterwards, and
// compares the file's with that. So ours give the file a time that lies ahead.
func TestPythonNoticesWhileItLoads(t *testing.T) {
	t.Parallel()
	quick := 0
	for _, r := range overlooking(t, 30, 0) {
		if r.took < 100*time.Millisecond {
			quick++
			if !r.noticed {
				t.Errorf("a write that came %s before the end of a load goes unnoticed", r.took)
			}
		}
	}
	if quick == 0 {
		t.Error("this machine is too slow to tell")
	}
}

// TestPythonOverlooks shows what is left: a load that takes longer than that
// after the write. Python sees the write with the next one.
func TestPythonOverlooks(t *testing.T) {
	t.Parallel()
	for _, r := range overlooking(t, 3, 150*time.Millisecond) {
		if r.noticed {
			t.Errorf("a write that came %s before the end of a load was noticed; Python has become better", r.took)
		}
	}
}

// overlooked is what became of a write during a load.
type overlooked struct {
	took    time.Duration // from the write to the end of the load
	noticed bool
}

// overlooking lets Python load, writes, and lets it go on after a time.
func overlooking(t *testing.T, rounds int, wait time.Duration) (all []overlooked) {
	path := filepath.Join(t.TempDir(), "cache")
	c, err := opened(path)
	if err != nil {
		t.Fatal(err)
	}
	store := func(account string) {
		if err := c.Add(t.Context(), signIn(account)); err != nil {
			t.Fatal(err)
		}
	}
	reader := start(t, python, "pause", path)
	reader.says(t, "ready")
	for i := range rounds {
		account := fmt.Sprintf("a%d", i)
		store("before-" + account)
		if got := reader.ask(t, account); got != "loaded" {
			t.Fatalf("the write before goes unnoticed: %s", got)
		}
		begun := time.Now()
		store(account)
		time.Sleep(wait)
		if got := reader.ask(t, "go on"); got != "no" {
			t.Errorf("what was read before it was stored: %s", got)
		}
		r := overlooked{took: time.Since(begun)}
		if r.noticed = reader.ask(t, account) == "loaded"; r.noticed {
			if got := reader.ask(t, "go on"); got != "yes" {
				t.Errorf("it was loaded again: %s", got)
			}
		}
		all = append(all, r)
	}
	reader.rest(t)
	return all
}
