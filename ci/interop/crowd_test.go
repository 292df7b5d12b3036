//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// crowd is several processes of ours and of a peer that take the lock again
// and again.
type crowd struct {
	own, peer string
	overlaps  string // whether two may have it at once
	why       string
}

const (
	never, always = "never", "always"
	sometimes     = "sometimes" // by a race among peers, which no test can force
)

var crowds = []crowd{
	{ours, python, never, "the file's existence keeps them out, and ours judges it by the process that it names"},
	{ours, portalocker, sometimes, "when it had to wait for 5 s, it locks the file of a holder that removes it meanwhile"},
	{ours, node, never, "as Python"},
	{ours, official, sometimes, "it opens and locks in two steps, and unlocks and removes in two; in between the file can be removed"},
	{ours, java, always, "Java locks another file"},
	{oursForJava, java, sometimes, "ours takes that one too; when Java had to wait for 6 s, it goes on whoever has it"},
}

func TestCrowd(t *testing.T) {
	for _, c := range crowds {
		t.Run(c.own+" and "+c.peer, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "cache")
			j := c.jostle(t, path, 3)
			t.Logf("%s", j)
			if n := len(j.withOurs); n > 0 && c.overlaps == never || n == 0 && c.overlaps == always {
				t.Errorf("two had the lock at once %d times (%.300q); expected that %s, because %s", n, j.withOurs, c.overlaps, c.why)
			}
			if n := j.refused[c.own]; n > 0 {
				t.Errorf("ours was refused %d times", n)
			}
			if j.had[c.own] == 0 || j.had[c.peer] == 0 {
				t.Errorf("somebody starved: %v", j.had)
			}
		})
	}
}

// jostled is what happened.
type jostled struct {
	had, refused   map[string]int
	withOurs, rest []string // who was in when somebody else came
}

func (j *jostled) String() string {
	return fmt.Sprintf("had %v, refused %v; overlaps with ours %d, among peers %d", j.had, j.refused, len(j.withOurs), len(j.rest))
}

// stay is how many milliseconds each keeps the lock: as long as a change takes.
const stay = "5"

// rounds is how often a peer takes the lock, by how often it looks for it.
var rounds = map[string]int{python: 10, portalocker: 10, node: 20, official: 100, java: 20}

func (c crowd) rounds() string {
	n := rounds[c.peer]
	if testing.Short() {
		n /= 2
	}
	return strconv.Itoa(n)
}

func (c crowd) jostle(t *testing.T, path string, each int) *jostled {
	j := &jostled{had: map[string]int{}, refused: map[string]int{}}
	var own, theirs []*running
	for range each {
		own = append(own, start(t, c.own, "contend", path, ours, "-1", stay)) // until the peers are done
		theirs = append(theirs, start(t, c.peer, "contend", path, strings.ReplaceAll(c.peer, " ", "_"), c.rounds(), stay))
	}
	begin(t, slices.Concat(own, theirs))
	for _, r := range slices.Concat(theirs, own) {
		for _, line := range r.rest(t) {
			if line == "had" {
				j.had[r.who]++
			} else {
				j.refused[r.who]++
			}
		}
	}
	j.judge(t, path+".witness")
	return j
}

// judge reads the witness, whose lines the kernel put in order.
func (j *jostled) judge(t *testing.T, witness string) {
	data, err := os.ReadFile(witness)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		what, who, _ := strings.Cut(strings.TrimSpace(line), " ")
		if what == "end" {
			delete(in, who)
			continue
		}
		for other := range in {
			if strings.HasPrefix(who, ours) || strings.HasPrefix(other, ours) {
				j.withOurs = append(j.withOurs, other+" and "+who)
			} else {
				j.rest = append(j.rest, other+" and "+who)
			}
		}
		in[who] = true
	}
}
