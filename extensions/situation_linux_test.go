package extensions_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/testproc"
)

// builtPlugins are the binaries of file and libsecret, in one directory.
var builtPlugins = sync.OnceValues(func() (string, error) {
	path, err := pluginPath()
	if err != nil {
		return "", err
	}
	other := filepath.Join(filepath.Dir(path), "msalext-plugin-libsecret")
	build := exec.Command("go", "build", "-o", other, "github.com/msalext/msalext/plugins/libsecret/cmd/msalext-plugin-libsecret")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return filepath.Dir(path), os.Chmod(other, 0o755)
})

// selectionChild chooses a backend in a place that it prepares, stores with it,
// and prints which it was or why there is none.
func selectionChild(plugins, where, candidates string, prepare ...string) (err error) {
	if len(prepare) > 0 {
		if plugins, err = preparations[prepare[0]](plugins, prepare[1]); err != nil {
			return err
		}
	}
	binaries := map[string]pluginhost.Binary{}
	for _, name := range []string{"file", "libsecret"} {
		binaries[name] = pluginhost.Binary{Path: filepath.Join(plugins, "msalext-plugin-"+name)}
	}
	host := pluginhost.New(&pluginhost.Options{Plugins: binaries})
	defer func() { err = errors.Join(err, host.Close()) }()
	ctx := context.Background()
	p, err := extensions.BuildPersistence(ctx, where, &extensions.Options{Host: host, Candidates: strings.Split(candidates, ",")})
	if se := (*extensions.SelectionError)(nil); errors.As(err, &se) {
		fmt.Println(err)
		return nil
	} else if err != nil {
		return err
	}
	if err := p.Save(ctx, []byte("data")); err != nil {
		return err
	}
	fmt.Println("saved with", p.Backend())
	return p.Close()
}

// preparations change what the process sees; each returns where the plugins
// are then.
var preparations = map[string]func(plugins, dir string) (string, error){
	"read-only root": func(plugins, _ string) (string, error) {
		err := errors.Join(
			syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
			syscall.Mount("/", "/", "", syscall.MS_BIND|syscall.MS_REC, ""),
			syscall.Chroot("/"), // the new mount lies over the old root
			syscall.Mount("", "/", "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""),
		)
		if werr := os.WriteFile(plugins+"/x", nil, 0o600); !errors.Is(werr, syscall.EROFS) {
			err = errors.Join(err, fmt.Errorf("the root isn't read-only: %w", werr))
		}
		return plugins, err
	},
	"noexec": func(plugins, dir string) (string, error) { return plugins, mountNoexec(dir) },
	"noexec, with the plugins in it": func(plugins, dir string) (string, error) {
		if err := mountNoexec(dir); err != nil {
			return "", err
		}
		for _, name := range []string{"file", "libsecret"} {
			if err := copyFile(filepath.Join(dir, "msalext-plugin-"+name), filepath.Join(plugins, "msalext-plugin-"+name)); err != nil {
				return "", err
			}
		}
		if err := exec.Command(filepath.Join(dir, "msalext-plugin-file")).Run(); !errors.Is(err, os.ErrPermission) {
			return "", fmt.Errorf("programs run there: %w", err)
		}
		return dir, nil
	},
	"podman": func(plugins, dir string) (string, error) {
		err := testproc.MountTmpfs("/run", "64k")
		return plugins, errors.Join(err, os.WriteFile("/run/.containerenv", nil, 0o644))
	},
}

func mountNoexec(dir string) error {
	err := testproc.MountTmpfs(dir, "64m")
	return errors.Join(err, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_NOEXEC, "size=64m"), os.Chmod(dir, 0o700))
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Each line of text that the selection has for a situation is said in the real
// one, with real plugins, and where the situation is no hindrance nothing fails.
func TestSelectionInRealSituations(t *testing.T) {
	t.Parallel()
	plugins, err := builtPlugins()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		candidates string
		prepare    string // needs a mount namespace
		uid        uint32
		env        []string
		says       []string
	}{
		{"no bus", "libsecret", "", 0, nil, []string{"libsecret: ", "no session bus"}},
		{"no bus, and a file allowed", "libsecret,file", "", 0, nil, []string{"saved with file"}},
		{"SSH", "libsecret", "podman", 0, []string{"SSH_CONNECTION=10.0.0.2 50000 10.0.0.1 22"}, []string{"a Podman container"}},
		{"WSL", "libsecret", "", 0, []string{"WSL_DISTRO_NAME=Ubuntu"}, []string{"this is WSL"}},
		{"Kubernetes", "libsecret", "", 0, []string{"KUBERNETES_SERVICE_HOST=10.0.0.1"}, []string{"a Kubernetes pod"}},
		{"sudo", "libsecret", "", 0, []string{"SUDO_UID=1000"}, []string{"a root shell of user id 1000"}},
		{"no HOME", "libsecret", "", testproc.Nobody, nil, []string{"HOME isn't set", "no session bus"}},
		{"no HOME, and a file", "file", "", testproc.Nobody, nil, []string{"saved with file"}},
		{"no entry for the user", "libsecret", "", 54321, nil, []string{"user id 54321 has no entry", "no session bus"}},
		{"no entry for the user, and a file", "file", "", 54321, nil, []string{"saved with file"}},
		{"read-only root", "file", "read-only root", 0, nil, []string{"file: ", "is on a file system that is read-only"}},
		{"noexec", "file", "noexec", 0, nil, []string{"saved with file"}},
		{"noexec, and no bus", "libsecret", "noexec", 0, nil, []string{"no session bus"}},
		{"noexec, with the plugin in it", "libsecret,file", "noexec, with the plugins in it", 0, nil, []string{"libsecret: ", "plugin refused", "executable", "(noexec)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shared := testproc.SharedDir(t)
			home, temp := filepath.Join(shared, "place"), filepath.Join(shared, "temp")
			if err := errors.Join(os.Mkdir(home, 0o700), os.Chown(home, int(c.uid), int(c.uid)), os.Mkdir(temp, 0o700), os.Chown(temp, int(c.uid), int(c.uid))); err != nil {
				t.Fatal(err)
			}
			args := []string{plugins, filepath.Join(home, "app", "cache"), c.candidates}
			if c.prepare != "" {
				args = append(args, c.prepare, temp)
			}
			cmd := testproc.Command(t, "selection", args...)
			cmd.Dir = "/"
			cmd.Env = append([]string{cmd.Env[len(cmd.Env)-1], "TMPDIR=" + temp}, c.env...) // the child's name, and nothing of this process
			if c.uid == 0 {
				cmd.Env = append(cmd.Env, "HOME="+home)
			}
			if c.prepare != "" {
				testproc.WithOwnMounts(cmd)
			} else if c.uid != 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.uid, Gid: c.uid}}
			}
			out := testproc.Run(t, cmd)
			for _, says := range c.says {
				if !strings.Contains(out, says) {
					t.Errorf("no %q in %s", says, out)
				}
			}
			saved := strings.Contains(out, "saved with")
			if _, err := os.Stat(filepath.Join(home, "app", "cache")); saved != (err == nil) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
