package extensions

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

func TestResolve(t *testing.T) {
	home, cwd := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Chdir(cwd)
	for location, want := range map[string]string{
		"~/a/b":        filepath.Join(home, "a", "b"),
		"a":            filepath.Join(cwd, "a"),
		"../x":         filepath.Join(filepath.Dir(cwd), "x"),
		home + "/y":    filepath.Join(home, "y"),
		"~other/cache": filepath.Join(cwd, "~other", "cache"),
	} {
		if got, err := resolve(location); err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", location, got, err, want)
		}
	}
	for _, location := range []string{"", "a/", "/", "a\x00b"} {
		if _, err := resolve(location); !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("%q gave %v", location, err)
		}
	}
}

func TestNoHome(t *testing.T) {
	for _, name := range []string{"HOME", "USERPROFILE", "XDG_DATA_HOME", "LocalAppData", "home"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := DefaultLocation("app"); !errors.Is(err, backend.ErrInvalid) || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("DefaultLocation gave %v", err)
	}
	if _, err := resolve("~/x"); !errors.Is(err, backend.ErrInvalid) || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("a location below home gave %v", err)
	}
}

func TestDefaultLocation(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("LocalAppData", dir)
	t.Setenv("XDG_DATA_HOME", "relative/is/ignored")
	got, err := DefaultLocation("my-app")
	if err != nil || !strings.HasPrefix(got, dir) || filepath.Base(got) != "token-cache" || filepath.Base(filepath.Dir(got)) != "my-app" {
		t.Errorf("got %q, %v", got, err)
	}
	if runtime.GOOS == "linux" && got != filepath.Join(dir, ".local/share/my-app/token-cache") {
		t.Errorf("got %q", got)
	}
	for _, app := range []string{"", ".", "..", "a/b", `a\b`, "/abs", "c:"} {
		if got, err := DefaultLocation(app); !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("%q gave %q, %v", app, got, err)
		}
	}
}

func TestPlatformStore(t *testing.T) {
	t.Parallel()
	for goos, want := range map[string]string{"windows": "dpapi", "darwin": "keychain", "linux": "libsecret", "freebsd": "libsecret"} {
		if got := platformStore(goos); got != want {
			t.Errorf("%s has %q", goos, got)
		}
	}
}
