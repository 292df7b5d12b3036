//go:build interop

package interop

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// team is who takes part in a load on one file.
type team []string

// pace is how many milliseconds each waits between two changes, so that the
// fast ones aren't done before the slow ones have begun.
const pace = 100

var (
	// everybody is the mixed load.
	everybody = team{insistent, insistent, python, portalocker, official, official, node, java}
	// careful are the libraries that read and write under the lock. Python
	// without portalocker and Python with it don't keep each other out.
	careful = team{ours, ours, python, python, node, node}
)

func changes() int {
	if testing.Short() {
		return 12
	}
	return 50
}

// Where all read and write under the lock, nothing of ours is lost. Python and
// Node can take a change from each other: Node looks whether to read again
// before it waits for the lock, and neither sees a write in the moment of its
// own last reading. Our writes are dated ahead for that.
func TestCarefulLoad(t *testing.T) {
	o := load(t, filepath.Join(t.TempDir(), "cache"), careful, changes())
	t.Logf("%d changes each\n%s", changes(), o)
	if lost := o.lost(ours); len(lost) > 0 {
		t.Errorf("of ours %d are lost: %q", len(lost), lost)
	}
}

// Of ours nothing is lost, whatever the others do: what they overwrite is put
// back.
func TestMixedLoad(t *testing.T) {
	o := load(t, filepath.Join(t.TempDir(), "cache"), everybody, changes())
	t.Logf("%d changes each\n%s", changes(), o)
	if lost := o.lost(insistent); len(lost) > 0 {
		t.Errorf("of ours %d are lost: %q", len(lost), lost)
	}
}

// outcome is what became of a load.
type outcome struct {
	parts  []*part
	looked string
	kept   map[string]bool
}

type part struct {
	who, name string
	stored    []string // that the library said are stored
	failed    []string
}

// load lets everybody change the cache n times, while a reader of ours looks
// on, which must never see what it can't read.
func load(t *testing.T, path string, who team, n int) *outcome {
	t.Helper()
	reader := start(t, ours, "watch", path)
	reader.says(t, "ready")
	o := &outcome{kept: map[string]bool{}}
	var all []*running
	for i, w := range who {
		p := &part{who: w, name: fmt.Sprintf("p%d", i)}
		o.parts = append(o.parts, p)
		all = append(all, start(t, w, "change", path, p.name, strconv.Itoa(n), strconv.Itoa(pace)))
	}
	begin(t, all)
	for _, own := range []bool{false, true} { // ours run on until the others are done
		var wg sync.WaitGroup
		for i, r := range all {
			if own == (r.who == ours || r.who == insistent) {
				wg.Go(func() { o.parts[i].note(r.rest(t)) })
			}
		}
		wg.Wait()
	}
	for _, line := range reader.rest(t) {
		if strings.HasPrefix(line, "looked") {
			o.looked = line
		} else {
			t.Errorf("a reader of ours: %s", line)
		}
	}
	for _, account := range accounts(t, path) {
		o.kept[account] = true
	}
	for _, p := range o.parts {
		if len(p.stored)+len(p.failed) != n {
			t.Errorf("%s did %d of %d changes", p.who, len(p.stored)+len(p.failed), n)
		}
	}
	return o
}

func (p *part) note(lines []string) {
	for _, line := range lines {
		what, account, _ := strings.Cut(line, " ")
		if what == "stored" {
			p.stored = append(p.stored, account)
		} else {
			p.failed = append(p.failed, account)
		}
	}
}

// lost lists what was acknowledged and isn't there any more.
func (o *outcome) lost(who string) []string {
	var all []string
	for _, p := range o.parts {
		if p.who == who {
			all = append(all, slices.DeleteFunc(slices.Clone(p.stored), func(a string) bool { return o.kept[a] })...)
		}
	}
	return all
}

func (o *outcome) String() string {
	var b strings.Builder
	for _, p := range o.parts {
		kept := 0
		for _, a := range p.stored {
			if o.kept[a] {
				kept++
			}
		}
		fmt.Fprintf(&b, "%-18s stored %d, kept %d, failed %d", p.who, len(p.stored), kept, len(p.failed))
		if len(p.failed) > 0 {
			fmt.Fprintf(&b, " (%s)", p.failed[0])
		}
		b.WriteString("\n")
	}
	return b.String() + "a reader of ours " + o.looked
}

func accounts(t *testing.T, path string) []string {
	t.Helper()
	c, err := opened(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, a := range all {
		ids = append(ids, strings.TrimSuffix(a.HomeAccountID, ".t"))
	}
	return ids
}
