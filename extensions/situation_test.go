package extensions

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

var update = flag.Bool("update", false, "write the golden files anew")

// facts are what a test says of a machine. Nothing else is true of it.
type facts struct {
	goos   string // empty: linux
	euid   int    // 0: 1000; -1: root
	env    map[string]string
	files  map[string]string // by path
	mounts map[string]mounting
}

func (f facts) situation() situation {
	s := situation{
		goos: f.goos, euid: f.euid, temp: "/tmp",
		env:  func(name string) string { return f.env[name] },
		read: func(path string) string { return f.files[path] },
		has:  func(path string) bool { _, there := f.files[path]; return there },
		on:   func(path string) mounting { return f.mounts[path] },
	}
	if s.goos == "" {
		s.goos = "linux"
	}
	switch s.euid {
	case 0:
		s.euid = 1000
	case -1:
		s.euid = 0
	}
	return s
}

const (
	passwd  = "root:x:0:0::/root:/bin/sh\neve:x:1000:1000::/home/eve:/bin/sh\n"
	wsl     = "Linux version 5.15.167.4-microsoft-standard-WSL2 (gcc) #1 SMP"
	plugin  = "/opt/app/msalext-plugins/msalext-plugin-libsecret"
	inCache = "/home/eve/.local/share/app/token-cache"
)

func TestSituations(t *testing.T) {
	t.Parallel()
	noBus := &backend.Error{Op: "open", Backend: "libsecret", Kind: backend.ErrUnavailable, Err: errors.New("no session bus"), Hint: "run the program in a desktop session"}
	locked := &backend.Error{Op: "open", Backend: "libsecret", Kind: backend.ErrLocked}
	notFound := &backend.Error{Op: "start plugin", Backend: "libsecret", Kind: backend.ErrPluginNotFound}
	refused := &backend.Error{Op: "start plugin", Backend: "libsecret", Kind: backend.ErrPluginRefused,
		Err: &pluginhost.RefusedError{Name: "libsecret", Path: plugin, Reason: "it can't be executed"}}
	denied := &backend.Error{Op: "open", Backend: "file", Kind: backend.ErrDenied}
	var golden strings.Builder
	for _, c := range []struct {
		name   string
		reason *backend.Error
		facts  facts
	}{
		{"a desktop", locked, facts{env: map[string]string{"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus"}}},
		{"a desktop's terminal, started by systemd", locked, facts{env: map[string]string{"INVOCATION_ID": "0123"}, files: map[string]string{"/run/user/1000/bus": ""}}},
		{"WSL", noBus, facts{files: map[string]string{"/proc/version": wsl}}},
		{"WSL, by its variable", noBus, facts{env: map[string]string{"WSL_DISTRO_NAME": "Ubuntu"}}},
		{"Docker", noBus, facts{files: map[string]string{"/.dockerenv": ""}}},
		{"Docker Desktop on WSL's kernel", noBus, facts{files: map[string]string{"/.dockerenv": "", "/proc/version": wsl}}},
		{"Docker, by its control group", noBus, facts{files: map[string]string{"/proc/1/cgroup": "4:memory:/docker/0123abcd\n"}}},
		{"Podman", noBus, facts{files: map[string]string{"/run/.containerenv": ""}}},
		{"Kubernetes", noBus, facts{env: map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, files: map[string]string{"/.dockerenv": ""}}},
		{"Kubernetes, by its control group", noBus, facts{files: map[string]string{"/proc/1/cgroup": "0::/kubepods/besteffort/pod1\n"}}},
		{"another container", noBus, facts{env: map[string]string{"container": "systemd-nspawn"}}},
		{"SSH without a bus", noBus, facts{env: map[string]string{"SSH_CONNECTION": "10.0.0.2 50000 10.0.0.1 22"}}},
		{"SSH on macOS", &backend.Error{Backend: "keychain", Kind: backend.ErrLocked}, facts{goos: "darwin", env: map[string]string{"SSH_CONNECTION": "x"}}},
		{"a root shell", noBus, facts{euid: -1, env: map[string]string{"SUDO_UID": "1000"}}},
		{"a root shell that isn't sensible", noBus, facts{euid: -1, env: map[string]string{"SUDO_UID": "$(reboot)"}}},
		{"root's own shell", noBus, facts{euid: -1}},
		{"a systemd service", noBus, facts{env: map[string]string{"INVOCATION_ID": "0123"}}},
		{"no HOME", notFound, facts{env: map[string]string{"HOME": ""}}},
		{"no HOME on Windows", notFound, facts{goos: "windows", env: map[string]string{"HOME": ""}}},
		{"a user id without an entry", noBus, facts{euid: 54321, env: map[string]string{"HOME": "/"}}},
		{"a user of a directory service", noBus, facts{euid: 54321, env: map[string]string{"HOME": "/home/ada"}, files: map[string]string{"/home/ada": ""}}},
		{"a read-only root", denied, facts{mounts: map[string]mounting{inCache: {readOnly: true}, "/tmp": {readOnly: true}}}},
		{"a read-only temporary directory", refused, facts{mounts: map[string]mounting{"/tmp": {readOnly: true}}}},
		{"a noexec temporary directory", refused, facts{mounts: map[string]mounting{"/tmp": {noExec: true}}}},
		{"a noexec temporary directory that doesn't matter", noBus, facts{mounts: map[string]mounting{"/tmp": {noExec: true}}}},
		{"a noexec directory of plugins", refused, facts{mounts: map[string]mounting{plugin: {noExec: true}}}},
		{"all at once", noBus, facts{euid: -1, env: map[string]string{"SUDO_UID": "1000", "HOME": "", "SSH_CONNECTION": "x", "INVOCATION_ID": "0123"},
			files: map[string]string{"/run/.containerenv": ""}, mounts: map[string]mounting{inCache: {readOnly: true}}}},
		{"a wrong setting in a container", &backend.Error{Backend: "libsecret", Kind: backend.ErrInvalid}, facts{files: map[string]string{"/.dockerenv": ""}}},
		{"another backend in a container", &backend.Error{Backend: "redis", Kind: backend.ErrUnavailable}, facts{files: map[string]string{"/.dockerenv": ""}}},
	} {
		if _, set := c.facts.env["HOME"]; !set {
			c.facts.files = with(c.facts.files, "/home/eve", "")
			c.facts.env = with(c.facts.env, "HOME", "/home/eve")
		}
		c.facts.files = with(c.facts.files, "/etc/passwd", passwd)
		e := &SelectionError{Location: "~/cache"}
		e.add(c.reason.Backend, c.reason)
		e.Hints = c.facts.situation().hints(inCache, e.Candidates)
		fmt.Fprintf(&golden, "# %s\n%v\n\n", c.name, e)
		if hint := "run the program in a desktop session"; c.reason == noBus && !strings.Contains(e.Error(), hint) {
			t.Errorf("%s: the backend's own words are gone", c.name)
		}
	}
	const file = "testdata/situations.golden"
	if *update {
		if err := os.WriteFile(file, []byte(golden.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(strings.ReplaceAll(string(want), "\r\n", "\n"), "\n"), strings.Split(golden.String(), "\n")); d != "" {
		t.Errorf("run with -update and read the difference:\n%s", d)
	}
}

// with is m with one more entry.
func with(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// Every failure of the process itself shows in a hint that a person can read:
// one line, no secret of the environment.
func TestHintsOfThisMachine(t *testing.T) {
	reason := &backend.Error{Backend: platformStore("linux"), Kind: backend.ErrUnavailable}
	t.Setenv("SSH_CONNECTION", "SECRET\nSECRET")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	hints := here().hints(t.TempDir(), []Candidate{{Backend: reason.Backend, Reason: reason}})
	if slices.ContainsFunc(hints, func(h string) bool { return strings.Contains(h, "SECRET") || strings.Contains(h, "\n") }) {
		t.Errorf("%q", hints)
	}
}
