//go:build chaos

package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/internal/testproc"
)

// patience is ten times what anything here may need.
const patience = 20 * time.Second

// place is a cache's directory, and one for the sockets of plugins.
type place struct {
	dir, sockets string
}

func newPlace(t *testing.T) place {
	t.Helper()
	sockets, err := os.MkdirTemp("", "c") // short, as a socket's path must be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	return place{dir: filepath.Join(t.TempDir(), "d"), sockets: sockets}
}

func (p place) cache() string { return filepath.Join(p.dir, "cache") }

// command prepares a child that keeps its plugins' sockets here.
func (p place) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := pluginPath()
	if err != nil {
		t.Fatal(err)
	}
	cmd := testproc.Command(t, name, args...)
	cmd.Env = append(cmd.Env, pluginEnv+"="+path, "TMPDIR="+p.sockets, "XDG_RUNTIME_DIR=")
	return cmd
}

// stored reads the file without our code.
func (p place) stored(t *testing.T) state {
	t.Helper()
	data, err := os.ReadFile(p.cache())
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err == nil && len(data) == 0 {
		t.Fatal("the cache is an empty file")
	}
	s, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stays are the files that are meant to stay: the cache, the record of its
// backend, and the queue, which is never removed.
var stays = []string{"cache", "cache.lockqueue", "cache.msalext"}

// litter lists what lies there and isn't meant to stay, by its sort.
func (p place) litter(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, e := range entries(t, p.dir) {
		if !slices.Contains(stays, e) {
			found = append(found, role(e))
		}
	}
	for range entries(t, p.sockets) {
		found = append(found, "socket directory")
	}
	return slices.Compact(found)
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// nextStart runs a fresh program that writes once, on top of what is there,
// and leaves nothing behind. It returns how long that took.
func (p place) nextStart(t *testing.T, way string, l *ledger) time.Duration {
	t.Helper()
	before, start := p.stored(t), time.Now()
	out := testproc.Run(t, p.command(t, "once", way, p.cache()))
	took := time.Since(start)
	if l != nil {
		l.follow(strings.NewReader(out), func() {})
	}
	if now := p.stored(t); now.Prev != before.Sum || now.N != before.N+1 {
		t.Errorf("the next program wrote state %d over state %d", now.N, before.N)
	}
	p.mustBeClean(t)
	return took
}

// mustBeClean waits for plugins that notice that their host is gone.
func (p place) mustBeClean(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		left, running := p.litter(t), p.plugins(t)
		if len(left) == 0 && running == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("left behind: %q in %q, and %d plugins", left, entries(t, p.dir), running)
			return
		}
	}
}

// plugins counts running plugins whose socket is here.
func (p place) plugins(t *testing.T) int {
	t.Helper()
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range environs {
		exe, _ := os.Readlink(filepath.Join(filepath.Dir(path), "exe"))
		env, _ := os.ReadFile(path)
		if strings.HasPrefix(exe, pluginDir) && strings.Contains(string(env), p.sockets) {
			n++
		}
	}
	return n
}

// pluginsOf lists the plugins of a program that run: it starts nothing else.
func pluginsOf(pid int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var pids []int
	for _, path := range stats {
		stat, _ := os.ReadFile(path)                        // empty: it has ended meanwhile
		before, after, _ := strings.Cut(string(stat), ") ") // pid (comm) state ppid …
		fields := strings.Fields(after)
		if len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(strings.Fields(before)[0])
			pids = append(pids, child)
		}
	}
	return pids
}

// role tells what a file of the cache's directory is for.
func role(name string) string {
	switch {
	case strings.Contains(name, ".msalext-tmp-"):
		if strings.HasPrefix(name, "cache.msalext.") {
			return "record's temp"
		}
		return "temp"
	case strings.HasSuffix(name, ".lockfile"):
		return "lock"
	case strings.HasSuffix(name, ".lockqueue"):
		return "queue"
	case name == "cache.msalext":
		return "record"
	}
	return name
}
