//go:build chaos

package chaos

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// who says whose system calls something happens to: the program's, or those of
// the plugin that it uses.
type who struct{ way, victim string }

func (w who) String() string { return w.way + ", " + w.victim }

// target is the process that is meant.
func (d *driver) target(t *testing.T, w who) int {
	t.Helper()
	if w.victim == host {
		return d.cmd.Process.Pid
	}
	pids := pluginsOf(d.cmd.Process.Pid)
	if len(pids) != 1 {
		t.Fatalf("%d plugins", len(pids))
	}
	return pids[0]
}

// traced carries out an order under strace, and returns its calls that touch
// the place. Opening makes the directory; gone removes it again.
func (p place) traced(t *testing.T, w who, order string, gone bool) []call {
	t.Helper()
	d := p.drive(t, w.way)
	defer d.stop(t)
	d.ready(t)
	if gone {
		if err := os.Remove(p.dir); err != nil {
			t.Fatal(err)
		}
	}
	tr := attach(t, d.target(t, w))
	d.tell(t, order)
	if a, alive := d.hear(t); !alive || a.Err != "" {
		t.Fatalf("%+v, alive: %t", a, alive)
	}
	calls, _ := tr.detach(t, 0)
	return slices.DeleteFunc(calls, func(c call) bool { return c.about(p) == "" })
}

// scenario is an order, and whether something is stored before.
type scenario struct {
	who
	order string
	first bool
}

func (sc scenario) String() string {
	if sc.first {
		return fmt.Sprintf("first %s; %v", sc.order, sc.who)
	}
	return fmt.Sprintf("%s; %v", sc.order, sc.who)
}

// place makes a place fit for the scenario.
func (sc scenario) place(t *testing.T) place {
	t.Helper()
	p := newPlace(t)
	if !sc.first {
		p.nextStart(t, linked, nil)
	}
	return p
}

// names are the calls that the order makes to files of ours, each once.
func (sc scenario) names(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, c := range sc.place(t).tracedIn(t, sc) {
		if !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

func (p place) tracedIn(t *testing.T, sc scenario) []call {
	return p.traced(t, sc.who, sc.order, false)
}

// changing are the calls after which something on the disk or a lock is
// another. Killing before another call is killing after one of these.
const changing = "openat write pwrite64 fsync flock renameat utimensat unlinkat mkdirat ftruncate close"

// TestKillAtEachCall kills a program or its plugin right before each of its
// system calls that touch a file of ours: strace counts the calls of one name,
// and kills at the n-th, for every n that there is.
func TestKillAtEachCall(t *testing.T) {
	t.Parallel()
	all := []scenario{
		{who{linked, host}, update, true}, {who{plugin, pluginOnly}, update, false}, {who{linked, host}, update, false}, {who{plugin, host}, update, false},
		{who{linked, host}, remove, false}, {who{plugin, pluginOnly}, remove, false}, {who{plugin, pluginOnly}, update, true}, {who{linked, host}, load, false},
	}
	for _, sc := range all[:rounds(2, len(all))] {
		t.Run(sc.String(), func(t *testing.T) {
			t.Parallel()
			var times []time.Duration
			for _, name := range sc.names(t) {
				if !testing.Short() || strings.Contains(changing, name) {
					times = append(times, sc.killAtAll(t, name)...)
				}
			}
			t.Logf("killed at %d calls", len(times))
			logTimes(t, "the next program's start, write and end", times)
			if len(times) < 10 {
				t.Error("that proves nothing")
			}
		})
	}
}

// killAtAll kills at each call of that name.
func (sc scenario) killAtAll(t *testing.T, name string) []time.Duration {
	t.Helper()
	return atAll(func(n int) (time.Duration, string) { return sc.killAt(t, name, n) })
}

// atAll counts up, until there is no such call any more or only ones that have
// nothing to do with files of ours.
func atAll(kill func(n int) (time.Duration, string)) (times []time.Duration) {
	for n, elsewhere := 1, 0; elsewhere < 3; n++ {
		took, at := kill(n)
		switch at {
		case nowhere:
			return times
		case "":
			elsewhere++
		default:
			elsewhere = 0
		}
		times = append(times, took)
	}
	return times
}

// nowhere: there is no such call.
const nowhere = "nowhere"

// killAt kills before the n-th call of that name, and tells what the call was
// about. Another program then writes, and sweeps up.
func (sc scenario) killAt(t *testing.T, name string, n int) (took time.Duration, at string) {
	t.Helper()
	p := sc.place(t)
	d := p.drive(t, sc.way)
	d.ready(t)
	before := p.stored(t)
	tr := attach(t, d.target(t, sc.who), fmt.Sprintf("%s:signal=SIGKILL:when=%d", name, n))
	d.tell(t, sc.order)
	a, alive := d.hear(t)
	calls, killed := tr.detach(t, 300*time.Millisecond)
	if !killed {
		if !alive {
			t.Fatalf("it died of something else: %s", d.stderr())
		}
		d.stop(t)
		return 0, nowhere
	}
	at = victimCall(calls, name).about(p)
	after := p.stored(t)
	sc.judge(t, name+" of "+at, a, alive, before, after)
	d.stop(t)
	left := p.litter(t)
	took = p.nextStart(t, ways[n%2], nil)
	t.Logf("%-28s state %d → %d, left %q, next %v", name+" of "+at, before.N, after.N, left, took.Round(time.Millisecond))
	return took, at
}

// victimCall is the call that the kill prevented.
func victimCall(calls []call, name string) call {
	for _, result := range []string{"?", unfinished} { // a split line shows no result
		for _, c := range slices.Backward(calls) {
			if c.name == name && c.result == result {
				return c
			}
		}
	}
	return call{}
}

// judge compares what is stored after a kill with what may be.
func (sc scenario) judge(t *testing.T, where string, a answer, alive bool, before, after state) {
	t.Helper()
	same := after.Sum == before.Sum
	made := sc.order == update && after.Prev == before.Sum && after.N == before.N+1 || sc.order == remove && after.N == 0
	switch {
	case !same && !made:
		t.Errorf("%s: state %d became %d", where, before.N, after.N)
	case alive && a.Err == "" && sc.order != load && !made:
		t.Errorf("%s: it was acknowledged, and isn't stored", where)
	case alive && a.Err == "" && sc.order == update && after.Sum != a.Meant:
		t.Errorf("%s: another state is stored than was acknowledged", where)
	case alive && sc.victim == host:
		t.Errorf("%s: the program lives", where)
	}
}
