package extensions_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// Each line of text that the selection has for a situation is said in the real
// one, with real plugins, and where the situation is no hindrance nothing fails.
func TestSelectionInRealSituations(t *testing.T) {
	t.Parallel()
	plugins, err := builtPlugins()
	if err != nil {
		t.Fatal(err)
	}
	ssh := []string{"SSH_CONNECTION=10.0.0.2 50000 10.0.0.1 22", "SSH_CLIENT=10.0.0.2 50000 22", "SSH_TTY=/dev/pts/0"}
	// systemd gives a system service these, and no HOME.
	service := []string{"INVOCATION_ID=0123456789abcdef0123456789abcdef", "JOURNAL_STREAM=9:123", "SYSTEMD_EXEC_PID=1", "HOME="}
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
		{"no bus on a machine", "libsecret", "machine", 0, nil, []string{"no session bus"}},
		{"SSH", "libsecret", "machine", 0, ssh, []string{"no session bus", "this is an SSH session without a session bus"}},
		{"SSH into a container", "libsecret", "podman", 0, ssh, []string{"a Podman container"}},
		{"SSH, and a file allowed", "libsecret,file", "machine", 0, ssh, []string{"saved with file"}},
		{"a system service", "libsecret", "machine", 0, service, []string{"no session bus", "this is a systemd service without a session bus", "HOME isn't set"}},
		{"a system service, and a file", "file", "machine", 0, service, []string{"saved with file"}},
		{"Docker", "libsecret", "docker", 0, nil, []string{"a Docker container"}},
		{"WSL", "libsecret", "WSL", 0, nil, []string{"this is WSL"}},
		{"WSL, by its variable", "libsecret", "", 0, []string{"WSL_DISTRO_NAME=Ubuntu"}, []string{"this is WSL"}},
		{"Kubernetes", "libsecret", "", 0, []string{"KUBERNETES_SERVICE_HOST=10.0.0.1"}, []string{"a Kubernetes pod"}},
		{"sudo", "libsecret", "machine", 0, []string{"SUDO_UID=1000"}, []string{"this is a root shell of user id 1000"}},
		{"no HOME", "libsecret", "", testproc.Nobody, nil, []string{"HOME isn't set", "no session bus"}},
		{"no HOME, and a file", "file", "", testproc.Nobody, nil, []string{"saved with file"}},
		{"no entry for the user", "libsecret", "", 54321, nil, []string{"user id 54321 has no entry", "no session bus"}},
		{"no entry for the user, and a file", "file", "", 54321, nil, []string{"saved with file"}},
		{"read-only root", "file", "read-only root", 0, nil, []string{"file: ", "is on a file system that is read-only"}},
		{"read-only root, but a volume", "file", "read-only root, but a volume", 0, nil, []string{"file: ", "the temporary directory", "is read-only"}},
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
			if c.uid == 0 && !slices.Contains(c.env, "HOME=") {
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
			const names = "this is "
			if n := strings.Count(strings.Join(c.says, " "), names); c.prepare == "machine" && strings.Count(out, names) != n {
				t.Errorf("it names other situations than %d: %s", n, out)
			}
			saved := strings.Contains(out, "saved with")
			if _, err := os.Stat(filepath.Join(home, "app", "cache")); saved != (err == nil) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
