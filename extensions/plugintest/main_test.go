//go:build unix

package plugintest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/msalext/msalext/extensions/plugintest"
	"github.com/msalext/msalext/internal/testproc"
)

// TestMain makes the test binary a plugin where it has a plugin's name, and a
// host to be killed where it is a child.
func TestMain(m *testing.M) {
	if name, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "msalext-plugin-"); ok {
		plugins[strings.TrimSuffix(name, ".exe")].serve()
		os.Exit(0)
	}
	testproc.Main(m, testproc.Children{"host": func([]string) error {
		return plugintest.Child(context.Background(), os.Stdin, os.Stdout)
	}}, removeLinks)
}

// child starts this binary as a host to be killed.
func child(t *testing.T) func(context.Context) *exec.Cmd {
	return func(context.Context) *exec.Cmd { return testproc.Command(t, "host") }
}

// links has this binary under each plugin's name. All are made at once: a
// further link changes the status of the file, which hosts watch for.
var links = sync.OnceValues(func() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(filepath.Dir(exe), "plugins-")
	for name := range plugins {
		err = errors.Join(err, os.Link(exe, filepath.Join(dir, "msalext-plugin-"+name)))
	}
	return dir, err
})

func removeLinks() {
	if dir, err := links(); err == nil {
		_ = os.RemoveAll(dir)
	}
}

// installed is the test binary under a plugin's name.
func installed(t *testing.T, name string) string {
	t.Helper()
	dir, err := links()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "msalext-plugin-"+name)
}

// built builds a plugin of this module.
func built(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", dir+string(filepath.Separator), "../../plugins/"+name+"/cmd/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, "msalext-plugin-"+name+"*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("built %v, %v", found, err)
	}
	return found[0]
}
