//go:build chaos

package chaos

import (
	"slices"
	"strings"
	"testing"
)

// step is a call that must happen, by its name, the role of its first file,
// and what must be in its arguments.
type step struct{ name, role, args string }

// write is the order in which a change reaches the disk. Each step may survive
// a power failure only if those before it did: new bytes before the name that
// leads to them, the name before the lock is free for the next.
var write = []step{
	{"openat", "temp", "O_EXCL"}, {"write", "temp", ""}, {"fsync", "temp", ""}, {"flock", "directory", "LOCK_EX"}, {"openat", "cache", ""},
	{"renameat", "temp", "cache\""}, {"utimensat", "cache", ""}, {"fsync", "directory", ""},
}

// TestOrder looks at the system calls of a change: a crash of the machine
// can't be tried, but what survives it follows from their order.
func TestOrder(t *testing.T) {
	t.Parallel()
	locked := slices.Concat([]step{{"flock", "queue", "LOCK_EX"}, {"openat", "lock", "O_EXCL"}, {"flock", "lock", "LOCK_EX"}, {"read", "cache", ""}}, write,
		[]step{{"unlinkat", "lock", ""}})
	first := slices.Concat([]step{{"mkdirat", "directory", ""}, {"fsync", "parent", ""}, {"openat", "lock", "O_EXCL"}, {"fsync", "record's temp", ""},
		{"renameat", "record's temp", ""}, {"fsync", "directory", ""}}, write[:4], write[5:], []step{{"unlinkat", "lock", ""}})
	deleted := []step{{"flock", "lock", "LOCK_EX"}, {"flock", "directory", "LOCK_EX"}, {"unlinkat", "cache", ""}, {"fsync", "directory", ""}, {"unlinkat", "lock", ""}}
	for _, c := range []struct {
		name   string
		who    who
		order  string
		gone   bool // the directory, before the order
		expect []step
	}{
		{"first write, linked in", who{linked, host}, update, true, first},
		{"write, linked in", who{linked, host}, update, false, locked},
		{"write, plugin", who{plugin, pluginOnly}, update, false, write},
		{"deletion, linked in", who{linked, host}, remove, false, deleted},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			if !c.gone {
				p.nextStart(t, linked, nil)
			}
			calls := p.traced(t, c.who, c.order, c.gone)
			mustFollow(t, p, calls, c.expect)
			for _, tail := range after(calls, p, step{"fsync", "temp", ""}) {
				if tail.about(p) == "temp" && (tail.name == "write" || tail.name == "pwrite64" || tail.name == "ftruncate") {
					t.Errorf("written after it was synced: %v", tail)
				}
			}
		})
	}
}

func (s step) is(c call, p place) bool {
	return c.name == s.name && c.about(p) == s.role && strings.Contains(c.args, s.args) && !strings.HasPrefix(c.result, "-1")
}

// after returns the calls behind the first that is s.
func after(calls []call, p place, s step) []call {
	i := slices.IndexFunc(calls, func(c call) bool { return s.is(c, p) })
	if i < 0 {
		return nil
	}
	return calls[i+1:]
}

func mustFollow(t *testing.T, p place, calls []call, steps []step) {
	t.Helper()
	rest := calls
	for i, s := range steps {
		i0 := slices.IndexFunc(rest, func(c call) bool { return s.is(c, p) })
		if i0 < 0 {
			t.Fatalf("no %s of %s after %+v in %v", s.name, s.role, steps[:i], calls)
		}
		rest = rest[i0+1:]
	}
}
