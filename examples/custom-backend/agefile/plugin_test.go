package agefile

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// built builds programs of this module.
func built(t *testing.T, dir string, packages ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"build", "-buildvcs=false", "-o", dir + string(filepath.Separator)}, packages...)
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func exe(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

// The same cases judge the installed binary, through the real host.
func TestConformanceOfThePlugin(t *testing.T) {
	t.Parallel()
	dir, identity := t.TempDir(), newIdentity(t)
	built(t, dir, "../cmd/msalext-plugin-age")
	host := pluginhost.New(&pluginhost.Options{Plugins: map[string]pluginhost.Binary{
		name: {Path: filepath.Join(dir, exe("msalext-plugin-age"))},
	}})
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := host.Backend(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	backendtest.Run(t, &backendtest.Opener{Backend: b, NewConfig: func(t backendtest.T) backend.Config {
		return configured(t.TempDir(), identity)
	}})
}

// An application that knows the backend's name only, twice.
func TestApplication(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	built(t, dir, "../app")
	built(t, filepath.Join(dir, "msalext-plugins"), "../cmd/msalext-plugin-age")
	identity := filepath.Join(dir, "identity")
	if err := os.WriteFile(identity, []byte(newIdentity(t).String()), 0o600); err != nil {
		t.Fatal(err)
	}
	location := filepath.Join(dir, "cache")
	for _, stored := range []string{"0 bytes before, 1 now", "1 bytes before, 2 now"} {
		cmd := exec.Command(filepath.Join(dir, exe("app")), identity, location)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "encrypted by age") || !strings.Contains(string(out), stored) {
			t.Errorf("%v: %s", err, out)
		}
	}
	if sealed, err := os.ReadFile(location); err != nil || !bytes.HasPrefix(sealed, []byte("age-encryption.org/v1\n")) {
		t.Errorf("stored %q, %v", sealed, err)
	}
}
