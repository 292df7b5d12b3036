//go:build interop

package interop

import (
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// What a contender does while somebody holds the lock.
const (
	waits   = "waits"    // and has it soon after the release
	givesUp = "gives up" // with an error, and touches nothing
	walksIn = "walks in" // while it is held
)

// The lock is held for longer than the patience of Python (5 s) and the official
// extension (5 s), and shorter than that of Python with portalocker (10 s). Java
// counts its tries (60 of them, 100 ms apart), which take longer on a busy machine.
const (
	holdTime     = 8 * time.Second
	holdFromJava = 2 * holdTime
)

// cell is one pair, and what is expected of it.
type cell struct {
	holder, contender string
	want, why         string
}

var matrix = []cell{
	{ours, ours, waits, "both queue, and wait for 60 s"},

	{ours, python, givesUp, "the file exists; Python tries for 5 s"},
	{ours, portalocker, waits, "the file exists, which it ignores after 5 s, and flock is taken, for which it tries another 5 s"},
	{ours, node, waits, "the file exists; Node tries for 50 s"},
	{ours, official, givesUp, "flock is taken; it tries for 5 s"},
	{ours, java, walksIn, "Java locks another file, .lockfile in the directory"},
	{oursForJava, java, walksIn, "the file exists, which it ignores after 6 s; it locks by fcntl, which flock doesn't keep out"},

	{python, ours, waits, "nobody has flock, but the file names a process that lives"},
	{portalocker, ours, waits, "flock is taken"},
	{node, ours, waits, "nobody has flock, but the file names a process that lives"},
	{official, ours, waits, "flock is taken"},
	{java, ours, walksIn, "Java locks another file, .lockfile in the directory"},
	{java, oursForJava, waits, "nobody has flock on Java's file, but it names a process that lives"},
}

func (c cell) hold() time.Duration {
	if c.holder == oursForJava {
		return holdFromJava
	}
	return holdTime
}

// TestMatrix holds the lock by one library and tries to take it by another.
func TestMatrix(t *testing.T) {
	got := make([]string, len(matrix))
	took := make([]time.Duration, len(matrix))
	t.Run("pairs", func(t *testing.T) {
		for i, c := range matrix {
			t.Run(c.holder+" x "+c.contender, func(t *testing.T) {
				t.Parallel()
				got[i], took[i] = c.meet(t)
				if got[i] != c.want {
					t.Errorf("%s holds, %s %s after %s; expected that it %s: %s", c.holder, c.contender, got[i], took[i], c.want, c.why)
				}
			})
		}
	})
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	w.Write([]byte("HOLDER\tCONTENDER\tAFTER\tEXPECTED\tBECAUSE\n"))
	for i, c := range matrix {
		w.Write([]byte(strings.Join([]string{c.holder, c.contender, got[i] + " " + took[i].Round(100*time.Millisecond).String(), c.want, c.why}, "\t") + "\n"))
	}
	w.Flush()
	t.Logf("who keeps whom out\n%s", text.String())
}

// meet tells what the contender did, and after how long.
func (c cell) meet(t *testing.T) (string, time.Duration) {
	path := filepath.Join(t.TempDir(), "cache")
	holder, contender := start(t, c.holder, "hold", path), start(t, c.contender, "hold", path)
	contender.says(t, "ready")
	begin(t, []*running{holder})
	holder.says(t, "held")
	contender.goOn(t)
	came := time.Now()
	line, early := contender.line(t, c.hold())
	took := time.Since(came)
	if rest := holder.rest(t); len(rest) != 1 || rest[0] != "released" {
		t.Errorf("%s said at its end: %q", c.holder, rest)
	}
	if !early {
		line, _ = contender.line(t, long)
		took = time.Since(came)
	}
	contender.rest(t)
	switch {
	case line != "held":
		return givesUp, took
	case early:
		return walksIn, took
	}
	return waits, took
}
