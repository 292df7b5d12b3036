//go:build chaos

package chaos

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// fault is an error that the n-th call of a name gets, or all from the n-th on.
type fault struct {
	name  string
	errno syscall.Errno
	n     int
	lasts bool
}

var errnoNames = map[syscall.Errno]string{
	syscall.EIO: "EIO", syscall.ENOSPC: "ENOSPC", syscall.EDQUOT: "EDQUOT", syscall.EROFS: "EROFS", syscall.EINTR: "EINTR", syscall.ENOENT: "ENOENT",
}

func (f fault) String() string {
	s := fmt.Sprintf("%s:error=%s:when=%d", f.name, errnoNames[f.errno], f.n)
	if f.lasts {
		s += "+"
	}
	return s
}

// TestFaults lets each system call of a change fail, in each way that a disk
// has: what was stored stays, the error says what it is, the lock is free, and
// the next change works.
func TestFaults(t *testing.T) {
	t.Parallel()
	errnos := []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EINTR}
	for _, sc := range []scenario{{who{linked, host}, update, false}, {who{plugin, pluginOnly}, update, false}} {
		t.Run(sc.String(), func(t *testing.T) {
			t.Parallel()
			h := &hurt{scenario: sc, place: sc.place(t)}
			for _, name := range sc.names(t) {
				if name == "close" || testing.Short() && !strings.Contains(changing, name) {
					continue // strace doesn't close what it lets fail, and Linux does
				}
				for _, errno := range errnos[:rounds(2, len(errnos))] {
					h.sweep(t, name, errno)
				}
				if name == "renameat" { // somebody removed the temporary file
					h.sweep(t, name, syscall.ENOENT)
				}
			}
			for _, point := range []string{"write of temp", "fsync of temp", "renameat of temp", "fsync of directory", "utimensat of cache", "openat of temp"} {
				h.reach(t, point)
			}
			if h.d != nil {
				h.d.stop(t)
			}
			h.nextStart(t, sc.way, nil)
			t.Logf("%d faults at %d points", h.faults, len(h.points))
		})
	}
}

// hurt is a program that meets one fault after the other.
type hurt struct {
	scenario
	place
	d      *driver
	faults int
	points []string
}

// sweep lets each call of a name fail, one after the other: the first few also
// together with all that follow.
func (h *hurt) sweep(t *testing.T, name string, errno syscall.Errno) {
	t.Helper()
	for n, elsewhere := 1, 0; elsewhere < 4; n++ {
		points := h.meet(t, fault{name, errno, n, false})
		if len(points) == 0 {
			return
		}
		if !slices.ContainsFunc(points, ofOurs) {
			elsewhere++
			continue
		}
		if n <= 3 && errno != syscall.EINTR { // a signal comes once: the runtime would repeat the call for ever
			h.meet(t, fault{name, errno, n, true})
		}
	}
}

// reach makes sure that a point was met. strace counts the calls of each thread
// for itself, and which one makes a call is up to the scheduler: so a sweep can
// pass one by.
func (h *hurt) reach(t *testing.T, point string) {
	t.Helper()
	name, _, _ := strings.Cut(point, " of ")
	for try := range 20 {
		if slices.Contains(h.points, point) {
			return
		}
		h.meet(t, fault{name, syscall.EIO, try%4 + 1, false})
	}
	if !slices.Contains(h.points, point) {
		t.Errorf("nothing failed at %s", point)
	}
}

func ofOurs(point string) bool { return !strings.HasSuffix(point, other) }

// meet carries out an order with a fault, and one without. It returns what the
// fault met, nothing when there was no such call.
func (h *hurt) meet(t *testing.T, f fault) (points []string) {
	t.Helper()
	if h.d == nil {
		h.d = h.drive(t, h.way)
	}
	d := h.d
	d.ready(t)
	before := h.stored(t)
	tr := attach(t, d.target(t, h.who), f.String())
	start := time.Now()
	d.tell(t, h.order)
	a, alive := d.hear(t)
	took := time.Since(start)
	calls, _ := tr.detach(t, 0)
	points = injected(calls, h.place)
	if !alive && !slices.Contains(points, "write of "+other) {
		t.Fatalf("%v: the driver died: %s", f, d.stderr())
	}
	if alive {
		d.tell(t, "on")
	}
	if len(points) == 0 {
		return nil
	}
	h.faults++
	h.points = append(h.points, points...)
	row := fmt.Sprintf("%-34v at %-40s", f, strings.Join(points, ", "))
	after := h.stored(t)
	if slices.Contains(points, f.name+" of "+other) {
		h.startAnew(t, row, before, after)
	} else {
		h.judge(t, row, f, a, before, after)
		h.recovers(t, row)
	}
	result := "done"
	if a.Err != "" {
		result = a.Kind + " (" + a.Err + ")"
	}
	t.Logf("%s %v → %d, %s", row, took.Round(time.Millisecond), after.N-before.N, result)
	return points
}

// startAnew is for a fault that also met the plugin's connection or the Go
// runtime's own files, which no disk does to them: a program that waits, or
// ends, is right then. What is stored counts all the same.
func (h *hurt) startAnew(t *testing.T, row string, before, after state) {
	t.Helper()
	if after.Sum != before.Sum && after.Prev != before.Sum {
		t.Errorf("%s: state %d became %d", row, before.N, after.N)
	}
	h.d.stop(t)
	h.d = nil
	h.nextStart(t, h.way, nil)
}

// other is what isn't a file of the cache.
const other = "something else"

// injected are the calls that failed, each once.
func injected(calls []call, p place) []string {
	var points []string
	for _, c := range calls {
		about := c.about(p)
		if about == "" {
			about = other
		}
		if at := c.name + " of " + about; c.injected && !slices.Contains(points, at) {
			points = append(points, at)
		}
	}
	return points
}

// recovers checks that nothing is left of a fault.
func (h *hurt) recovers(t *testing.T, row string) {
	t.Helper()
	before, start := h.stored(t), time.Now()
	if a := h.d.do(t, update); a.Err != "" {
		t.Errorf("%s: the next change failed: %s", row, a.Err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("%s: the next change took %v", row, took)
	}
	after := h.stored(t)
	if after.Prev != before.Sum {
		t.Errorf("%s: the next change went wrong", row)
	}
	if a := h.d.do(t, load); a.Loaded != after.Sum {
		t.Errorf("%s: the next load gave %+v", row, a)
	}
	left := slices.DeleteFunc(h.litter(t), func(s string) bool { return s == "socket directory" })
	if len(left) > 0 {
		t.Errorf("%s: left behind: %q", row, left)
	}
}

// judge compares what was answered with what is stored, and what is said with
// what happened.
func (h *hurt) judge(t *testing.T, row string, f fault, a answer, before, after state) {
	t.Helper()
	if after.Sum != before.Sum && after.Sum != a.Meant {
		t.Errorf("%s: state %d became %d", row, before.N, after.N)
	}
	if a.Err == "" {
		if after.Sum != a.Meant {
			t.Errorf("%s: it was acknowledged, and isn't stored", row)
		}
		return
	}
	if after.Sum != before.Sum {
		t.Logf("%s: an error, and yet stored", row)
	}
	if bad := []string{"", backend.ErrNotFound.Error(), backend.ErrCorrupt.Error(), backend.ErrInvalid.Error()}; slices.Contains(bad, a.Kind) {
		t.Errorf("%s: the kind is %q: %s", row, a.Kind, a.Err)
	}
	if a.Hint == "" || !strings.Contains(a.Err, f.errno.Error()) {
		t.Errorf("%s: it doesn't say what to do: %+v", row, a)
	}
}
