//go:build interop

package interop

import (
	"path/filepath"
	"testing"
)

// pairs is what becomes of the changes when two processes of ours and two of
// one peer change a file together.
var pairs = []struct {
	own, peer string
	kept      team // nothing of theirs is lost
	why       string
}{
	{ours, python, team{ours, python}, "it reads and writes under the lock"},
	{ours, portalocker, team{ours, portalocker}, "it reads and writes under the lock"},
	{ours, node, team{ours, node}, "it reads and writes under the lock"},
	{ours, official, team{}, "it writes what it read before it had the lock, and takes others' changes away"},
	{insistent, official, team{insistent}, "what it takes away of ours is put back"},
	{ours, java, team{}, "its lock is another file"},
	{insistent, java, team{insistent}, "ours takes that one too, and what it takes away nevertheless is put back"},
}

func TestPairs(t *testing.T) {
	n := 40
	if testing.Short() {
		n = 10
	}
	for _, p := range pairs {
		t.Run(p.own+" and "+p.peer, func(t *testing.T) {
			t.Parallel()
			o := load(t, filepath.Join(t.TempDir(), "cache"), team{p.own, p.own, p.peer, p.peer}, n)
			t.Logf("%d changes each\n%s", n, o)
			for _, who := range p.kept {
				if lost := o.lost(who); len(lost) > 0 {
					t.Errorf("of %s %d are lost: %q; expected none, because %s", who, len(lost), lost, p.why)
				}
			}
		})
	}
}
