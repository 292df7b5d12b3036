//go:build chaos

package chaos

import (
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// worker is a running child, and how to start the same again.
type worker struct {
	name, way string
	phase     string // file of its phase; empty for readers
	cmd       *exec.Cmd
	input     io.Closer
	ready     chan struct{}
	ended     chan struct{}
}

// storm is some writers and readers at one cache.
type storm struct {
	place
	*ledger
	workers []*worker
	names   int
}

func newStorm(t *testing.T, writers, readers []string) *storm {
	t.Helper()
	s := &storm{place: newPlace(t), ledger: newLedger()}
	for _, way := range writers {
		s.workers = append(s.workers, s.start(t, &worker{name: "write", way: way}))
	}
	for _, way := range readers {
		s.workers = append(s.workers, s.start(t, &worker{name: "read", way: way}))
	}
	for _, w := range s.workers {
		w.await(t, w.ready, "it opens the store")
	}
	return s
}

func (s *storm) start(t *testing.T, like *worker) *worker {
	t.Helper()
	w := &worker{name: like.name, way: like.way, ready: make(chan struct{}), ended: make(chan struct{})}
	args := []string{w.way, s.cache()}
	if w.name == "write" {
		s.names++
		w.phase = filepath.Join(filepath.Dir(s.dir), fmt.Sprint("phase", s.names))
		if err := os.WriteFile(w.phase, []byte{opening}, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, w.phase)
	}
	w.cmd = s.command(t, w.name, args...)
	out, oerr := w.cmd.StdoutPipe()
	in, ierr := w.cmd.StdinPipe()
	var stderr strings.Builder
	w.cmd.Stderr = &stderr
	if oerr != nil || ierr != nil {
		t.Fatal(oerr, ierr)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.input = in
	go func() {
		s.follow(out, func() { close(w.ready) })
		_ = w.cmd.Wait()
		if said := unexpected(stderr.String()); said != "" {
			s.note("said:", said)
		}
		close(w.ended)
	}()
	return w
}

func (w *worker) await(t *testing.T, what <-chan struct{}, says string) {
	t.Helper()
	select {
	case <-what:
	case <-time.After(patience):
		t.Fatalf("%s, %s: it never happened: %s", w.name, w.way, says)
	}
}

// Whom a kill meets.
const (
	host       = "host"
	pluginOnly = "plugin"
	both       = "both"
)

// kill kills a worker, its plugin, or both, and tells in what phase it was.
func (w *worker) kill(t *testing.T, whom string) string {
	t.Helper()
	var pids []int
	if whom != host {
		pids = pluginsOf(w.cmd.Process.Pid)
	}
	if whom != pluginOnly {
		pids = append(pids, w.cmd.Process.Pid)
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by itself
	}
	return w.at(t)
}

func (w *worker) at(t *testing.T) string {
	t.Helper()
	if w.phase == "" {
		return "reading"
	}
	b, err := os.ReadFile(w.phase)
	if err != nil || len(b) != 1 {
		t.Fatal(b, err)
	}
	return phases[b[0]]
}

// finish lets all workers end by themselves.
func (s *storm) finish(t *testing.T) {
	t.Helper()
	for _, w := range s.workers {
		_ = w.input.Close()
	}
	for _, w := range s.workers {
		w.await(t, w.ended, "it ends")
		if !w.cmd.ProcessState.Success() {
			t.Errorf("%s, %s: %v", w.name, w.way, w.cmd.ProcessState)
		}
	}
}

// strike kills one worker at a random moment of its loop, and starts another
// in its place. It returns what was killed, when.
func (s *storm) strike(t *testing.T) (what, when string) {
	t.Helper()
	i := s.victim(t)
	w := s.workers[i]
	whom := host
	if w.way == plugin {
		whom = []string{host, pluginOnly, both}[mathrand.IntN(3)]
	}
	when = w.kill(t, whom)
	if whom != pluginOnly {
		w.await(t, w.ended, "it dies")
		s.workers[i] = s.start(t, w)
	}
	return w.way + ", " + whom, when
}

// victim waits for a random moment and chooses a worker. Most of a writer's
// time goes into waiting for the lock; so every other victim is one that has
// it.
func (s *storm) victim(t *testing.T) int {
	t.Helper()
	i := mathrand.IntN(len(s.workers))
	if mathrand.IntN(10) > 0 { // else it may be starting still
		s.workers[i].await(t, s.workers[i].ready, "it opens the store")
	}
	time.Sleep(time.Duration(mathrand.IntN(15_000)) * time.Microsecond)
	if mathrand.IntN(2) == 0 {
		return i
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Microsecond) {
		for i, w := range s.workers {
			if at := w.at(t); at == phases[loading] || at == phases[saving] {
				time.Sleep(time.Duration(mathrand.IntN(2_000)) * time.Microsecond)
				return i
			}
		}
	}
	t.Fatal("nobody had the lock")
	return 0
}

// rounds is how often something is done, in the short form and the long.
func rounds(short, long int) int {
	if testing.Short() {
		return short
	}
	return long
}

// TestKills kills writers and readers a thousand times.
func TestKills(t *testing.T) {
	t.Parallel()
	const perStart = 50 // kills until everything ends and a program starts anew
	starts := rounds(3, 20)
	kinds, moments := map[string]int{}, map[string]int{}
	var heals []time.Duration
	for i := range starts {
		s := newStorm(t, []string{linked, linked, plugin, plugin}, []string{linked, plugin})
		for range perStart {
			what, when := s.strike(t)
			heals = append(heals, s.healed(t, time.Now()))
			kinds[what]++
			moments[when]++
			s.stored(t)
		}
		s.finish(t)
		left := s.litter(t)
		s.nextStart(t, ways[i%2], s.ledger)
		s.check(t, s.stored(t))
		s.onlyLostPlugins(t)
		t.Logf("%d kills: %v; left before the next start: %q", perStart, s.ledger, left)
	}
	t.Logf("%d kills of %v", starts*perStart, kinds)
	t.Logf("at %v", moments)
	logTimes(t, "until the next acknowledged write", heals)
	for _, when := range phases[idle:releasing] { // a moment of microseconds isn't hit for certain
		if moments[when] == 0 {
			t.Errorf("nobody was killed in the phase %q", when)
		}
	}
}

// unexpected leaves out what is said of a write whose answer died with the
// plugin.
func unexpected(log string) string {
	var rest []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "a write is there although the store failed") {
			rest = append(rest, line)
		}
	}
	return strings.Join(rest, "")
}

// onlyLostPlugins checks that whoever got an error had lost its plugin: other
// processes' deaths are nobody's error.
func (s *storm) onlyLostPlugins(t *testing.T) {
	t.Helper()
	for _, e := range s.errors {
		if !strings.Contains(e, "(file)") || !strings.Contains(e, "plugin") {
			t.Errorf("a write failed with %s", e)
		}
	}
}

func logTimes(t *testing.T, what string, d []time.Duration) {
	t.Helper()
	if len(d) == 0 {
		t.Fatalf("nothing was measured: %s", what)
	}
	slices.Sort(d)
	at := func(part float64) time.Duration {
		return d[int(part*float64(len(d)-1))].Round(time.Millisecond / 10)
	}
	t.Logf("%s: median %v, 99%% within %v, at most %v", what, at(0.5), at(0.99), at(1))
}
