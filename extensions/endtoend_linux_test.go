package extensions_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/testproc"
)

// These tests go the whole way, as a program of a user does: BuildPersistence
// or Open, a real plugin process, the disk.

func TestMain(m *testing.M) { testproc.Main(m, children, removePlugin) }

var children = testproc.Children{
	"save": func(args []string) error { return saveChild(args[0], args[1], args[2]) },
	"full": func(args []string) error { return fullDisk(args[0], args[1]) },

	"save forever": func(args []string) error { return saveForever(args[0], args[1]) },

	"migrate":  func(args []string) error { return migrateChild(args[0], args[1], args[2]) },
	"sign in":  func(args []string) error { return signInChild(args[0], args[1]) },
	"choose":   func(args []string) error { return chooseChild(args[0], args[1]) },
	"roomless": func(args []string) error { return roomlessChild(args[0], args[1], args[2]) },

	"selection": func(args []string) error { return selectionChild(args[0], args[1], args[2], args[3:]...) },

	"canary": func(args []string) error { return canaryChild(args[0], args[1], args[2]) },

	"storm": func(args []string) error { return stormChild(args[0], args[1]) },
	"hold":  func(args []string) error { return holdChild(args[0], args[1]) },
	"stop":  func(args []string) error { return stopChild(args[0], args[1]) },
}

// pluginPath is the file plugin, built once and readable for all users.
var pluginPath = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "msalext-plugin-")
	if err != nil {
		return "", err
	}
	pluginDir = dir
	path := filepath.Join(dir, "msalext-plugin-file")
	build := exec.Command("go", "build", "-o", path, "github.com/msalext/msalext/plugins/file/cmd/msalext-plugin-file")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o755))
})

var pluginDir string // where pluginPath lies, once built

func removePlugin() { _ = os.RemoveAll(pluginDir) }

func filePlugin(t *testing.T) string {
	t.Helper()
	path, err := pluginPath()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func hostWith(plugin string) *pluginhost.Host {
	return pluginhost.New(&pluginhost.Options{Plugins: map[string]pluginhost.Binary{"file": {Path: plugin}}})
}

// saveChild saves at a location and prints the outcome; where that is refused
// it also does what a program without this library would have done.
func saveChild(plugin, location, unguarded string) (err error) {
	host := hostWith(plugin)
	defer func() { err = errors.Join(err, host.Close()) }()
	p, err := extensions.Open(context.Background(), "file", location, &extensions.Options{Host: host})
	if err == nil {
		err = errors.Join(p.Save(context.Background(), []byte("new")), p.Close())
	}
	if err == nil {
		fmt.Println("saved")
		return nil
	}
	fmt.Printf("%v: %v\n", backend.KindOf(err), err)
	plain := os.WriteFile(location, []byte("overwritten"), 0o600)
	if works := plain == nil; works != (unguarded == "works") {
		return fmt.Errorf("the test proves nothing: an unguarded write gave %v", plain)
	}
	return nil
}

func TestUnsafeLocations(t *testing.T) {
	t.Parallel()
	const old = "what was stored"
	for _, c := range []struct {
		name      string
		prepare   func(dir string) error // dir/cache is the location; dir belongs to nobody
		unguarded string                 // what a plain os.WriteFile would do there
		kind      error
		says      []string
	}{
		{"a directory", func(dir string) error { return os.Mkdir(dir+"/cache", 0o777) }, "fails", backend.ErrInvalid, []string{"directory"}},
		{"an unwritable directory", func(dir string) error { return os.Chown(dir, 0, 0) }, "fails", backend.ErrDenied, []string{"dir"}},
		{"a symbolic link", func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/old", []byte(old), 0o600), os.Chown(dir+"/old", testproc.Nobody, testproc.Nobody),
				os.Symlink(dir+"/old", dir+"/cache"))
		}, "works", backend.ErrDenied, []string{"symbolic link"}},
		{"somebody else's file", func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/cache", []byte(old), 0o666), os.Chmod(dir+"/cache", 0o666))
		}, "works", backend.ErrDenied, []string{"own"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(testproc.SharedDir(t), "dir")
			if err := errors.Join(os.Mkdir(dir, 0o755), os.Chown(dir, testproc.Nobody, testproc.Nobody), c.prepare(dir)); err != nil {
				t.Fatal(err)
			}
			// The child's own unguarded write comes after the refusal, so the
			// content is compared in a run without one.
			out := testproc.Run(t, nobodySaves(t, dir+"/cache", c.unguarded))
			if !strings.HasPrefix(out, c.kind.Error()+": msalext: ") || !strings.Contains(out, ";") {
				t.Errorf("got %s", out)
			}
			for _, says := range c.says {
				if !strings.Contains(out, says) {
					t.Errorf("no %q in %s", says, out)
				}
			}
		})
	}
}

func nobodySaves(t *testing.T, location, unguarded string) *exec.Cmd {
	t.Helper()
	cmd := testproc.AsNobody(testproc.Command(t, "save", filePlugin(t), location, unguarded))
	cmd.Dir = "/"
	cmd.Env = append(cmd.Env, "HOME=/nonexistent")
	return cmd
}

func TestRefusedFilesKeepTheirContent(t *testing.T) {
	t.Parallel()
	const old = "what was stored"
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(dir+"/target", []byte(old), 0o600), os.Symlink(dir+"/target", dir+"/link"),
		os.WriteFile(dir+"/foreign", []byte(old), 0o600), os.Chown(dir+"/foreign", testproc.Nobody, -1),
		os.WriteFile(dir+"/shared", []byte(old), 0o666), os.Chmod(dir+"/shared", 0o666)); err != nil {
		t.Fatal(err)
	}
	host := hostWith(filePlugin(t))
	defer closeHost(t, host)
	for _, name := range []string{"link", "foreign", "shared"} {
		p, err := extensions.Open(t.Context(), "file", dir+"/"+name, &extensions.Options{Host: host})
		if err == nil {
			err = errors.Join(p.Save(t.Context(), []byte("new")), p.Close())
		}
		if !errors.Is(err, backend.ErrDenied) {
			t.Errorf("%s gave %v", name, err)
		}
		if got, err := os.ReadFile(dir + "/" + name); err != nil || string(got) != old {
			t.Errorf("%s has %q, %v", name, got, err)
		}
	}
}

func closeHost(t *testing.T, h *pluginhost.Host) {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// fullDisk saves on a file system that is full, and again once it isn't.
func fullDisk(plugin, dir string) (err error) {
	if err := testproc.MountTmpfs(dir, "256k"); err != nil {
		return err
	}
	host := hostWith(plugin)
	defer func() { err = errors.Join(err, host.Close()) }()
	ctx := context.Background()
	p, err := extensions.Open(ctx, "file", dir+"/cache", &extensions.Options{Host: host})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := p.Save(ctx, []byte("old")); err != nil {
		return err
	}
	ballast := errors.Join(os.WriteFile(dir+"/ballast", make([]byte, 1<<20), 0o600))
	if !errors.Is(ballast, syscall.ENOSPC) {
		return fmt.Errorf("the disk isn't full: %w", ballast)
	}
	full := p.Save(ctx, make([]byte, 64<<10))
	if data, err := p.Load(ctx); err != nil || string(data) != "old" {
		return fmt.Errorf("stored after a failed save: %d bytes, %w", len(data), err)
	}
	if err := os.Remove(dir + "/ballast"); err != nil {
		return err
	}
	fmt.Printf("%v: %v\n", backend.KindOf(full), full)
	return p.Save(ctx, []byte("new"))
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testproc.SharedDir(t), "full")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	out := testproc.Run(t, testproc.WithOwnMounts(testproc.Command(t, "full", filePlugin(t), dir)))
	if !strings.HasPrefix(out, backend.ErrUnavailable.Error()+": msalext: ") || !strings.Contains(out, "no space left") || !strings.Contains(out, ";") {
		t.Errorf("got %s", out)
	}
}

func TestWrongNames(t *testing.T) {
	t.Parallel()
	host := hostWith(filePlugin(t))
	defer closeHost(t, host)
	where := location(t)
	for _, c := range []struct {
		name, backend, location string
		settings                backend.Settings
		kind                    error
		says                    string
	}{
		{"empty name", "", where, nil, backend.ErrInvalid, "name"},
		{"empty location", "file", "", nil, backend.ErrInvalid, "location"},
		{"path as name", "../file", where, nil, backend.ErrInvalid, "name"},
		{"no such plugin", "nosuch", where, nil, backend.ErrPluginNotFound, "msalext-plugin-nosuch"},
		{"no such setting", "file", where, backend.Settings{"colour": "red"}, backend.ErrInvalid, `"colour"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &extensions.Options{Host: host, Settings: map[string]backend.Settings{c.backend: c.settings}}
			p, err := extensions.Open(t.Context(), c.backend, c.location, o)
			closed(t, p)
			var e *extensions.Error
			if !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.says) || !errors.As(err, &e) || e.Hint == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOddEnvironments(t *testing.T) {
	t.Parallel()
	long := filepath.Join(testproc.SharedDir(t), strings.Repeat("t", 120))
	if err := errors.Join(os.Mkdir(long, 0o700), os.Chown(long, testproc.Nobody, testproc.Nobody)); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string][]string{
		"long TMPDIR":        {"TMPDIR=" + long, "XDG_RUNTIME_DIR="},
		"no XDG_RUNTIME_DIR": {"XDG_RUNTIME_DIR=", "TMPDIR="},
		"no HOME":            {"HOME=", "XDG_DATA_HOME="},
		"itself a plugin": {"PLUGIN_PROTOCOL_VERSIONS=7", "PLUGIN_CLIENT_CERT=none", "PLUGIN_UNIX_SOCKET_DIR=/nonexistent",
			"PLUGIN_MIN_PORT=1", "PLUGIN_MAX_PORT=1", "PLUGIN_MULTIPLEX_GRPC=true", "TF_PLUGIN_MAGIC_COOKIE=x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(testproc.SharedDir(t), "dir")
			if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, testproc.Nobody, testproc.Nobody)); err != nil {
				t.Fatal(err)
			}
			cmd := nobodySaves(t, dir+"/cache", "")
			cmd.Env = append(cmd.Env, env...)
			if out := testproc.Run(t, cmd); !strings.HasSuffix(out, "saved\n") {
				t.Errorf("got %s", out)
			}
			if got, err := os.ReadFile(dir + "/cache"); err != nil || string(got) != "new" {
				t.Errorf("stored %q, %v", got, err)
			}
		})
	}
}
