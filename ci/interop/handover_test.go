//go:build interop

package interop

import (
	"path/filepath"
	"testing"
	"time"
)

// handovers is who comes in beside the next holder when the lock goes from one
// process of ours to another, after patience.
var handovers = []struct {
	contender string
	patience  time.Duration
	want, why string
}{
	{python, time.Second, waits, "it looks at the path"},
	{node, time.Second, waits, "it looks at the path"},
	{portalocker, time.Second, waits, "it looks at the path, for the first 5 s"},
	{portalocker, 6 * time.Second, walksIn, "it keeps a file open for which it waits, also when that is removed"},
}

// TestHandover shows which peers believe that they have the lock because they
// locked a file that its last holder removed. Nothing on our side can keep
// them out: a file that stays would keep Python and Node out for ever. (The
// official extension does the same, but in an instant that no test can meet:
// between opening the file and locking it.)
func TestHandover(t *testing.T) {
	for _, h := range handovers {
		t.Run(h.contender+" after "+h.patience.String(), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "cache")
			first, next, contender := start(t, ours, "hold", path), start(t, ours, "hold", path), start(t, h.contender, "hold", path)
			begin(t, []*running{first})
			first.says(t, "held")
			begin(t, []*running{next, contender})
			if line, early := contender.line(t, h.patience); early {
				t.Fatalf("beside the first holder: %s", line)
			}
			first.rest(t)
			if _, held := next.line(t, 5*time.Second); !held {
				// The contender came between the two: it waited, and ours waits for it.
				contender.says(t, "held")
				contender.rest(t)
				next.says(t, "held")
				next.rest(t)
				return
			}
			line, early := contender.line(t, 2*time.Second)
			got := waits
			if early && line == "held" {
				got = walksIn
			}
			if got != h.want {
				t.Errorf("%s %s (%s); expected that it %s: %s", h.contender, got, line, h.want, h.why)
			}
			next.rest(t)
			if !early {
				contender.says(t, "held")
			}
			contender.rest(t)
		})
	}
}
