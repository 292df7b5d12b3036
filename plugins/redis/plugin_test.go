//go:build redis

package redis

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// built is where the binary lies, once it is there.
var built atomic.Pointer[string]

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "msalext-redis-")
	if err != nil {
		return "", err
	}
	built.Store(&dir)
	path := filepath.Join(dir, "msalext-plugin-redis")
	build := exec.Command("go", "build", "-o", path, "./cmd/msalext-plugin-redis")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	return path, build.Run()
})

func removeBinary() {
	if dir := built.Load(); dir != nil {
		_ = os.RemoveAll(*dir)
	}
}

// plugged returns the backend as a program finds it: a binary that the host
// starts. It keeps running from case to case.
func plugged(t *testing.T, keep backend.Config) backend.Backend {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
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
	s, err := b.Open(t.Context(), keep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return b
}

func TestConformanceOfThePlugin(t *testing.T) {
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		t.Parallel()
		s := startServer(t)
		settings := backend.Settings{"address": s.address()}
		backendtest.Run(t, newHarness(t, plugged(t, unused(t.TempDir(), settings, nil)), settings, nil))
	})
	t.Run("TLS and ACL", func(t *testing.T) {
		t.Parallel()
		a := newAuthority(t)
		settings, secrets := secureSettings(t, startSecure(t, a), a)
		backendtest.Run(t, newHarness(t, plugged(t, unused(t.TempDir(), settings, secrets)), settings, secrets))
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		settings := startShards(t).settings()
		backendtest.Run(t, newHarness(t, plugged(t, unused(t.TempDir(), settings, nil)), settings, nil))
	})
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		c := startSentinels(t, patient)
		h := newHarness(t, plugged(t, unused(t.TempDir(), c.settings(), nil)), c.settings(), nil)
		h.at = map[int]func(){40: func() { c.failover(t) }}
		backendtest.Run(t, h)
	})
}
