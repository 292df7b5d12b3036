//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// goIn runs a command of Go in a directory, which asks no network.
func goIn(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOPROXY=off", "GOSUMDB=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// newPluginHere writes a plugin that is built with the module as it is here.
func newPluginHere(t *testing.T, root, name string) (dir string) {
	t.Helper()
	var out, errs strings.Builder
	if code := run(context.Background(), []string{"plugins", "new", name}, nil, &out, &errs); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	dir = "msalext-plugin-" + name
	goIn(t, dir, "mod", "edit", "-replace=github.com/msalext/msalext="+root, "-require=github.com/msalext/msalext@v0.0.0")
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// What `plugins new` writes builds, is formatted, and passes its own tests and
// the kit, against the module as it is here; also by a name that Go uses itself.
func TestPluginsNew(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	dir := newPluginHere(t, root, "my-store")
	goIn(t, dir, "vet", "./...")
	goIn(t, dir, "test", "./...")
	if out, err := exec.Command("gofmt", "-l", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt: %v: %s", err, out)
	}
	for _, name := range []string{"plugin", "func"} {
		goIn(t, newPluginHere(t, root, name), "vet", "./...")
	}
	var out, errs strings.Builder
	if code := run(context.Background(), []string{"plugins", "new", "my-store"}, nil, &out, &errs); code != exitUsage {
		t.Errorf("a second time: exit code %d", code)
	}
	for _, args := range [][]string{{"new"}, {"new", "../x"}, {"new", "x", "--module", "a b"}} {
		if code := run(context.Background(), append([]string{"plugins"}, args...), nil, &out, &errs); code != exitUsage {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
}
