package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/internal/testproc"
)

const module = "github.com/msalext/msalext/"

// programs builds what `make demo` builds, and laid out as it does. Where no Go
// runs, a directory with them is in the environment.
func programs(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("MSALEXT_TEST_PROGRAMS"); dir != "" {
		return dir
	}
	dir := testproc.SharedDir(t) // plugins don't run from where others could write
	build(t, dir, "examples/quickstart", "examples/demo", "examples/inprocess")
	build(t, filepath.Join(dir, "msalext-plugins"), "plugins/file/cmd/msalext-plugin-file")
	return dir
}

func build(t *testing.T, dir string, packages ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", dir+string(filepath.Separator))
	for _, p := range packages {
		cmd.Args = append(cmd.Args, module+p)
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	testproc.Run(t, cmd)
}

// start runs a program to its end. A user's own settings don't count, except
// those in env, and no proxy leads out of this machine.
func start(t *testing.T, program string, env []string, args ...string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "HTTPS_PROXY=http://127.0.0.1:1", "AZURE_CLIENT_ID=", "AZURE_AUTHORITY=")
	cmd.Env = append(cmd.Env, env...)
	return testproc.Run(t, cmd)
}

// lineEnds checks that lines end so, in this order.
func lineEnds(t *testing.T, out string, wanted ...string) {
	t.Helper()
	lines := strings.Split(out, "\n")
	for _, want := range wanted {
		i := slices.IndexFunc(lines, func(line string) bool { return strings.HasSuffix(line, want) })
		if i < 0 {
			t.Fatalf("no line ends in %q in its place in:\n%s", want, out)
		}
		lines = lines[i+1:]
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	dir := programs(t)
	t.Run("demo", func(t *testing.T) {
		t.Parallel()
		tmp := testproc.SharedDir(t)
		// Who has an application of their own set must not send it our people's passwords.
		env := []string{"TMPDIR=" + tmp, "TMP=" + tmp, "TEMP=" + tmp, "XDG_RUNTIME_DIR=", "AZURE_CLIENT_ID=somebody"}
		out := start(t, filepath.Join(dir, "demo"), env)
		lineEnds(t, out, "encrypted:  false", "token of alice@contoso.example, from the identity provider",
			"token of alice@contoso.example, from the cache", "no token request was made",
			"240 of 240 accounts kept", "seconds")
		leavesNothing(t, tmp)
	})
	for _, program := range []string{"quickstart", "inprocess"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			location := filepath.Join(t.TempDir(), "new", "token-cache")
			lineEnds(t, start(t, filepath.Join(dir, program), nil, location), "token of alice@contoso.example, from the identity provider")
			lineEnds(t, start(t, filepath.Join(dir, program), nil, location), "token of alice@contoso.example, from the cache")
		})
	}
}

// leavesNothing waits for what plugins remove after their host has gone.
func leavesNothing(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %v", left)
		}
	}
}
