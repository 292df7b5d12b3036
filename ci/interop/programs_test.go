//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/internal/testproc"
)

// Who takes part, by the name of the library.
const (
	ours        = "ours"
	oursForJava = "ours for java"   // takes Java's lock too
	insistent   = "ours, insistent" // and puts back what others overwrite
	python      = "python"
	portalocker = "python+portalocker"
	node        = "node"
	official    = "official go"
	java        = "java"
)

var peers = []string{python, portalocker, node, official, java}

// javaEnv makes a process of ours take Java's lock too, and insistEnv makes it
// put back what others overwrite.
const (
	javaEnv   = "MSALEXT_INTEROP_JAVA"
	insistEnv = "MSALEXT_INTEROP_INSIST"
)

// installation is where the peers' programs are.
type installation struct {
	dir   string // what ci/peers/install made
	built string // what is compiled here
}

// builtDir is removed when all tests are done.
var builtDir string

func removeBuilt() { _ = os.RemoveAll(builtDir) }

// installed installs the peers where they are missing, and compiles what has
// to be compiled.
var installed = sync.OnceValues(func() (installation, error) {
	dir, err := output("../peers/install")
	if err != nil {
		return installation{}, err
	}
	builtDir, err = os.MkdirTemp("", "msalext-peers-")
	if err != nil {
		return installation{}, err
	}
	i := installation{dir: dir, built: builtDir}
	sources, err := filepath.Glob("../peers/java/src/com/microsoft/aad/*/*.java")
	if err != nil {
		return i, err
	}
	javac := append([]string{"-d", i.built, "-cp", dir + "/java/*"}, sources...)
	_, err1 := output("javac", javac...)
	_, err2 := output("go", "build", "-C", "../peers/official", "-buildvcs=false", "-o", filepath.Join(i.built, "official"), ".")
	return i, errors.Join(err1, err2)
})

func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(err, errors.New(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// command prepares a program of a library, as ci/peers explains them.
func command(t testing.TB, who string, args ...string) *exec.Cmd {
	t.Helper()
	switch who {
	case ours:
		return testproc.Command(t, args[0], args[1:]...)
	case oursForJava:
		cmd := testproc.Command(t, args[0], args[1:]...)
		cmd.Env = append(cmd.Env, javaEnv+"=1")
		return cmd
	case insistent:
		cmd := testproc.Command(t, args[0], args[1:]...)
		cmd.Env = append(cmd.Env, javaEnv+"=1", insistEnv+"=1")
		return cmd
	}
	i, err := installed()
	if err != nil {
		t.Fatalf("install the peers: %v", err)
	}
	programs := map[string][]string{
		python:      {i.dir + "/python/bin/python", peerFile(t, "python/peer.py")},
		portalocker: {i.dir + "/python-portalocker/bin/python", peerFile(t, "python/peer.py")},
		node:        {"node", peerFile(t, "node/peer.mjs")},
		official:    {i.built + "/official"},
		java:        {"java", "-XX:TieredStopAtLevel=1", "-cp", i.built + ":" + i.dir + "/java/*", "com.microsoft.aad.msal4jextensions.Peer"},
	}
	full := append(programs[who], args...)
	cmd := exec.CommandContext(t.Context(), full[0], full[1:]...)
	cmd.Dir = i.dir + "/node"
	return cmd
}

func peerFile(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../peers", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// running is a started program.
type running struct {
	who    string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string // closed when the program ended its output
	stderr bytes.Buffer
}

func start(t testing.TB, who string, args ...string) *running {
	t.Helper()
	r := &running{who: who, cmd: command(t, who, args...), lines: make(chan string, 1000)}
	r.cmd.Stderr = &r.stderr
	stdin, err1 := r.cmd.StdinPipe()
	stdout, err2 := r.cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	r.stdin = stdin
	if err := r.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", who, err)
	}
	go func() {
		defer close(r.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			r.lines <- s.Text()
		}
	}()
	return r
}

// long is how long anything may take: ten times what the slowest peer, Java on
// a busy machine, needs.
const long = 2 * time.Minute

// line is the next line of output, or false after the given time.
func (r *running) line(t testing.TB, within time.Duration) (string, bool) {
	t.Helper()
	select {
	case line, ok := <-r.lines:
		if !ok {
			_ = r.cmd.Wait()
			t.Fatalf("%s ended early: %s\n%s", r.who, r.cmd.ProcessState, r.stderr.String())
		}
		return line, true
	case <-time.After(within):
		return "", false
	}
}

// says waits for a line.
func (r *running) says(t testing.TB, want string) {
	t.Helper()
	if line, ok := r.line(t, long); line != want {
		t.Fatalf("%s said %q (%t), want %q", r.who, line, ok, want)
	}
}

// begin lets all begin together, also those that start slowly.
func begin(t testing.TB, all []*running) {
	t.Helper()
	for _, r := range all {
		r.says(t, "ready")
	}
	for _, r := range all {
		r.goOn(t)
	}
}

// goOn gives the program its first line.
func (r *running) goOn(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(r.stdin, "go\n"); err != nil {
		t.Fatalf("%s: %v", r.who, err)
	}
}

// ask sends a line and returns the answer.
func (r *running) ask(t testing.TB, line string) string {
	t.Helper()
	if _, err := io.WriteString(r.stdin, line+"\n"); err != nil {
		t.Fatalf("%s: %v", r.who, err)
	}
	answer, ok := r.line(t, long)
	if !ok {
		t.Fatalf("%s doesn't answer %q", r.who, line)
	}
	return answer
}

// rest closes stdin, waits for the program's end and returns what it still
// said.
func (r *running) rest(t testing.TB) []string {
	t.Helper()
	_ = r.stdin.Close()
	var all []string
	timeout := time.After(long)
	for {
		select {
		case line, ok := <-r.lines:
			if ok {
				all = append(all, line)
				continue
			}
			if err := r.cmd.Wait(); err != nil {
				t.Errorf("%s: %v\n%s", r.who, err, r.stderr.String())
			}
			return all
		case <-timeout:
			t.Fatalf("%s doesn't finish; it said %q", r.who, all)
		}
	}
}
