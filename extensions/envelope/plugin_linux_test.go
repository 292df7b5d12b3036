package envelope_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/testproc"
)

// plugged is a backend as a program finds it: a binary that the host starts.
func plugged(t *testing.T, name string) backend.Backend {
	t.Helper()
	path := filepath.Join(testproc.SharedDir(t), "msalext-plugin-"+name)
	build := exec.Command("go", "build", "-o", path, "../../plugins/"+name+"/cmd/msalext-plugin-"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h := pluginhost.New(&pluginhost.Options{Plugins: map[string]pluginhost.Binary{name: {Path: path}}})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := h.Backend(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// kept opens a store that keeps the plugin running from case to case.
func kept(t *testing.T, b backend.Backend, c backend.Config) {
	t.Helper()
	s, err := b.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
}

func TestConformanceOverPlugins(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"file", "sqlite"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := plugged(t, name)
			path := filepath.Join(t.TempDir(), "cache")
			kept(t, b, backend.Config{Location: path, Path: path})
			backendtest.Run(t, &backendtest.Opener{Backend: wrapping{b, fixed}})
		})
	}
}
