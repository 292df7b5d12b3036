package dpapi

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/testproc"
)

// These tests go the whole way: BuildPersistence or Open in one program, the
// plugin in another, DPAPI, the disk.

const pluginFile = "msalext-plugin-dpapi.exe"

// asPlugin is what the test binary does where it is installed as the plugin.
var asPlugin func()

func TestMain(m *testing.M) {
	if exe, err := os.Executable(); err == nil && filepath.Base(exe) == pluginFile {
		asPlugin()
	}
	testproc.Main(m, testproc.Children{
		"sign in": func(args []string) error { return signInChild(args[0], args[1:]...) },
		"silent":  func(args []string) error { return silentChild(args[0]) },
		"count":   func(args []string) error { return countChild(args[0]) },
	}, removePlugin)
}

var builtDir string // where builtPlugin lies, if a test built it

func removePlugin() { _ = os.RemoveAll(builtDir) }

// builtPlugin is the plugin, from the directory in the environment where no Go
// runs.
var builtPlugin = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("MSALEXT_TEST_PROGRAMS"); dir != "" {
		return filepath.Join(dir, "dpapi", pluginFile), nil
	}
	dir, err := os.MkdirTemp("", "msalext-plugin-")
	if err != nil {
		return "", err
	}
	builtDir = dir
	path := filepath.Join(dir, pluginFile)
	build := exec.Command("go", "build", "-o", path, "github.com/msalext/msalext/plugins/dpapi/cmd/msalext-plugin-dpapi")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

// install copies a program, as somebody does who installs it.
func install(t *testing.T, from, to string) string {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
	return to
}

// installPlugin installs the plugin alone.
func installPlugin(t *testing.T) string {
	t.Helper()
	built, err := builtPlugin()
	if err != nil {
		t.Fatal(err)
	}
	return install(t, built, filepath.Join(t.TempDir(), pluginFile))
}

// hostOf is a host that knows where the plugin is.
func hostOf(t *testing.T, plugin string) *pluginhost.Host {
	t.Helper()
	h := pluginhost.New(&pluginhost.Options{Plugins: map[string]pluginhost.Binary{name: {Path: plugin}}})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// chosen is what BuildPersistence chooses by itself, but for the settings.
func chosen(t *testing.T, h *pluginhost.Host, location string, s backend.Settings) *extensions.Persistence {
	t.Helper()
	p, err := extensions.BuildPersistence(t.Context(), location, &extensions.Options{
		Host: h, Settings: map[string]backend.Settings{name: s},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// byTheSystem decrypts as any program can that knows of no library.
func byTheSystem(sealed, entropy []byte) ([]byte, error) {
	blobOf := func(data []byte) *windows.DataBlob {
		return &windows.DataBlob{Size: uint32(len(data)), Data: unsafe.SliceData(data)}
	}
	var more *windows.DataBlob
	if len(entropy) > 0 {
		more = blobOf(entropy)
	}
	var out windows.DataBlob
	if err := windows.CryptUnprotectData(blobOf(sealed), nil, more, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out); err != nil {
		return nil, err
	}
	data := bytes.Clone(unsafe.Slice(out.Data, out.Size))
	_, err := windows.LocalFree(windows.Handle(uintptr(unsafe.Pointer(out.Data))))
	return data, err
}

func TestPluginRoundTrip(t *testing.T) {
	t.Parallel()
	h := hostOf(t, installPlugin(t))
	for entropy, settings := range map[string]backend.Settings{"": nil, "more": {"entropy": "more"}} {
		location := filepath.Join(t.TempDir(), "app", "cache")
		p := chosen(t, h, location, settings)
		if says := p.Protection(); p.Backend() != name || !p.IsEncrypted() || says.Method != "DPAPI, current user" || !strings.Contains(says.ClaimedBy, pluginFile) {
			t.Errorf("chosen: %s, %v", p.Backend(), says)
		}
		if err := p.Save(t.Context(), cache); err != nil {
			t.Fatal(err)
		}
		if data, err := chosen(t, h, location, settings).Load(t.Context()); err != nil || !bytes.Equal(data, cache) {
			t.Errorf("loaded %q, %v", data, err)
		}
		sealed, err := os.ReadFile(location)
		if err != nil || bytes.Contains(sealed, []byte("TOKEN-IN-CLEAR")) {
			t.Errorf("stored in clear: %q, %v", sealed, err)
		}
		if data, err := byTheSystem(sealed, []byte(entropy)); err != nil || !bytes.Equal(data, cache) {
			t.Errorf("the system decrypts %q, %v", data, err)
		}
	}
}

// Whatever can't be decrypted is told of, with what to do, and stays.
func TestPluginKeepsWhatItCantDecrypt(t *testing.T) {
	t.Parallel()
	h := hostOf(t, installPlugin(t))
	for what, c := range map[string]struct {
		spoil func([]byte) []byte
		use   backend.Settings
		hint  string
	}{
		"wrong entropy":   {bytes.Clone, backend.Settings{"entropy": "wrong"}, "entropy"},
		"without entropy": {bytes.Clone, nil, "entropy"},
		"one bit":         {func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, backend.Settings{"entropy": "right"}, "kept"},
		"cut":             {func(b []byte) []byte { return b[:len(b)/2] }, backend.Settings{"entropy": "right"}, "kept"},
		"not a blob":      {func([]byte) []byte { return cache }, backend.Settings{"entropy": "right"}, "isn't encrypted"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			location := filepath.Join(t.TempDir(), "cache")
			if err := chosen(t, h, location, backend.Settings{"entropy": "right"}).Save(t.Context(), cache); err != nil {
				t.Fatal(err)
			}
			sealed, err := os.ReadFile(location)
			if err != nil {
				t.Fatal(err)
			}
			stored := c.spoil(sealed)
			if err := os.WriteFile(location, stored, 0o600); err != nil {
				t.Fatal(err)
			}
			p := chosen(t, h, location, c.use)
			_, loaded := p.Load(t.Context())
			for op, err := range map[string]error{"load": loaded, "save": p.Save(t.Context(), []byte("new"))} {
				e, ok := errors.AsType[*backend.Error](err)
				if !ok || !errors.Is(err, backend.ErrDecrypt) || !strings.Contains(e.Hint, c.hint) || strings.Contains(err.Error(), "TOKEN") {
					t.Errorf("%s: %v", op, err)
				}
			}
			if now, err := os.ReadFile(location); err != nil || !bytes.Equal(now, stored) {
				t.Errorf("the file changed: %v", err)
			}
		})
	}
}
