// Package testproc lets tests run parts of themselves in processes of their
// own: to be killed, to compete for a lock, or as another user. The test
// binary starts itself again and runs a function by name instead of the tests.
package testproc

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// childEnv names the function that a started test binary runs.
const childEnv = "MSALEXT_TEST_CHILD"

// Children are the functions that a test binary can run in a process of their
// own. They get the arguments of [Command]; an error goes to stderr and makes
// the exit code 1.
type Children map[string]func(args []string) error

// Main runs the child that the environment names, and otherwise the tests and
// then after, which removes what they shared. It doesn't return. Call it from
// TestMain.
func Main(m *testing.M, children Children, after ...func()) {
	name := os.Getenv(childEnv)
	if name == "" {
		code := m.Run()
		for _, f := range after {
			f()
		}
		os.Exit(code)
	}
	run := children[name]
	if run == nil {
		fmt.Fprintf(os.Stderr, "no child %q\n", name)
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Command prepares a process that runs a child. It isn't started, and ends
// with the test.
func Command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	return cmd
}

// Run runs a prepared process to its end, and fails the test with what it
// printed when its exit code isn't 0.
func Run(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	return string(out)
}

// SharedDir is t.TempDir for several users: its parents let everybody pass.
// The directory belongs to the test's user, with mode 0755.
func SharedDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "msalext-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
