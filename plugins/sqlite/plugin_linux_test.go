package sqlite

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/testproc"
)

func TestConformanceOfThePlugin(t *testing.T) {
	t.Parallel()
	b := plugged(t)
	for _, name := range []string{"plain", "adiantum", "xts"} {
		m := modes[name]
		t.Run(name, func(t *testing.T) {
			first, err := b.Open(t.Context(), m.config(filepath.Join(t.TempDir(), "cache"))) // keeps the plugin running from case to case
			if err != nil {
				t.Fatal(err)
			}
			defer first.Close()
			conformance(t, m, b)
		})
	}
}

// plugged returns the backend as a program finds it: a binary that the host
// starts.
func plugged(t *testing.T) backend.Backend {
	t.Helper()
	path := filepath.Join(testproc.SharedDir(t), "msalext-plugin-sqlite")
	build := exec.Command("go", "build", "-o", path, "./cmd/msalext-plugin-sqlite")
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
