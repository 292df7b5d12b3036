//go:build chaos

package chaos

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// touching are the calls that can touch a file. strace forgives names with a
// question mark that an architecture doesn't have.
const touching = "openat,read,pread64,write,pwrite64,fsync,fdatasync,close,flock,ftruncate,fchmod,fchmodat,fstat,?newfstatat,?lstat,statx," +
	"?rename,renameat,renameat2,?unlink,unlinkat,?link,linkat,?mkdir,mkdirat,utimensat,getdents64"

// call is a system call that strace saw.
type call struct {
	pid      int
	name     string
	args     string // with the path behind each descriptor
	result   string
	injected bool
}

// trace is a strace that is attached to a running process and its threads.
type trace struct {
	cmd *exec.Cmd
	log string
}

// attach returns once no call of the process goes unseen. inject are strace's
// expressions of that name.
func attach(t *testing.T, pid int, inject ...string) *trace {
	t.Helper()
	tr := &trace{log: filepath.Join(t.TempDir(), "strace")}
	args := []string{"-f", "-y", "-s", "16", "-o", tr.log, "-e", "trace=" + touching, "-e", "signal=kill"}
	for _, i := range inject {
		args = append(args, "-e", "inject="+i)
	}
	tr.cmd = exec.CommandContext(t.Context(), "strace", append(args, "-p", strconv.Itoa(pid))...)
	stderr, err := tr.cmd.StderrPipe()
	if err == nil {
		err = tr.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	if said, err := lines.ReadString('\n'); err != nil || !strings.Contains(said, "attached") {
		t.Fatalf("strace said %q, %v", said, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return tr
}

// unfinished is the result of a call that was under way when strace let go.
const unfinished = "unfinished"

// detach lets the process go on without strace, and returns what it called,
// and whether it was killed. A strace that is told to let go of a process that
// is just dying waits for ever; so one that may have killed it gets time to
// end by itself.
func (tr *trace) detach(t *testing.T, alone time.Duration) (calls []call, killed bool) {
	t.Helper()
	letGo := time.AfterFunc(alone, func() { _ = tr.cmd.Process.Signal(syscall.SIGINT) })
	defer letGo.Stop()
	over := time.AfterFunc(patience, func() { _ = tr.cmd.Process.Kill() })
	defer over.Stop()
	_ = tr.cmd.Wait()
	log, err := os.ReadFile(tr.log)
	if err != nil {
		t.Fatal(err)
	}
	return parseLog(string(log)), strings.Contains(string(log), "+++ killed by SIGKILL +++")
}

var (
	whole   = regexp.MustCompile(`^(\d+) +([a-z0-9_]+)\((.*)\) += (.*)$`)
	begun   = regexp.MustCompile(`^(\d+) +([a-z0-9_]+)\((.*?),? *<unfinished \.\.\.>$`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. ([a-z0-9_]+) resumed>(.*)\) += (.*)$`)
)

// parseLog joins what strace split because threads took turns. Calls appear in
// the order in which they ended; those that never ended have no result.
func parseLog(log string) []call {
	var calls []call
	open := map[string]call{}
	add := func(c call, result string) {
		c.result, c.injected = result, strings.Contains(result, "(INJECTED)")
		calls = append(calls, c)
	}
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if m := begun.FindStringSubmatch(line); m != nil {
			pid, _ := strconv.Atoi(m[1])
			open[m[1]] = call{pid: pid, name: m[2], args: m[3]}
		} else if m := resumed.FindStringSubmatch(line); m != nil {
			c := open[m[1]]
			delete(open, m[1])
			c.args += m[3]
			add(c, m[4])
		} else if m := whole.FindStringSubmatch(line); m != nil {
			pid, _ := strconv.Atoi(m[1])
			add(call{pid: pid, name: m[2], args: m[3]}, m[4])
		}
	}
	for _, c := range open {
		add(c, unfinished)
	}
	return calls
}

var inArgs = regexp.MustCompile(`\d+<([^>]+)>|"([^"]+)"`)

// paths are the files that a call is about.
func (c call) paths() []string {
	var found []string
	for _, m := range inArgs.FindAllStringSubmatch(c.args, -1) {
		if p := m[1] + m[2]; filepath.IsAbs(p) {
			found = append(found, p)
		}
	}
	return found
}

// about tells the role of the first file of the call that lies in the place,
// empty where there is none.
func (c call) about(p place) string {
	for _, path := range c.paths() {
		switch {
		case path == p.dir:
			return "directory"
		case path == filepath.Dir(p.dir):
			return "parent"
		case filepath.Dir(path) == p.dir:
			return role(filepath.Base(path))
		}
	}
	return ""
}

func (c call) String() string { return fmt.Sprintf("%s(%s) = %s", c.name, c.args, c.result) }
