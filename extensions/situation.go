package extensions

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// situation is where a program runs, as far as it explains why a backend is
// missing. Tests put facts of their own in its place.
type situation struct {
	goos string
	euid int
	temp string                     // the temporary directory
	env  func(name string) string   // "" when it isn't set
	read func(path string) string   // a small file's content, "" when it can't be read
	has  func(path string) bool     // there is such a file or directory
	on   func(path string) mounting // of the file system that has the path, or would
}

// mounting is how a file system is mounted.
type mounting struct{ readOnly, noExec bool }

// here is the situation of this process.
func here() situation {
	return situation{
		goos: runtime.GOOS, euid: os.Geteuid(), temp: os.TempDir(), env: os.Getenv,
		read: func(path string) string { data, _ := os.ReadFile(path); return string(data) },
		has:  func(path string) bool { _, err := os.Stat(path); return err == nil },
		on: func(path string) mounting {
			for filepath.Dir(path) != path {
				if _, err := os.Lstat(path); err == nil {
					break
				}
				path = filepath.Dir(path)
			}
			return mountingOf(path)
		},
	}
}

// hints says in one sentence each what of the situation may have to do with
// the failure of these candidates at the location with this absolute path.
func (s situation) hints(path string, tried []Candidate) []string {
	var all []string
	for _, hint := range []string{
		s.session(tried), s.sudo(tried), s.place(path), s.noPrograms(tried), s.noHome(tried), s.noUser(),
	} {
		if hint != "" {
			all = append(all, hint)
		}
	}
	return all
}

// without tells whether the platform's own store was tried and can't be used,
// for a reason that depends on the session.
func (s situation) without(tried []Candidate) bool {
	for _, c := range tried {
		switch backend.KindOf(c.Reason) {
		case backend.ErrUnavailable, backend.ErrLocked, backend.ErrTimeout, backend.ErrDenied:
			if c.Backend == platformStore(s.goos) {
				return true
			}
		}
	}
	return false
}

// session explains why there is no unlocked key store in a session such as
// this: the narrowest of what is known of it.
func (s situation) session(tried []Candidate) string {
	if !s.without(tried) {
		return ""
	}
	ssh := s.env("SSH_CONNECTION") != ""
	switch container := s.container(); {
	case s.goos == "darwin" && ssh:
		return "this is an SSH session, in which the login keychain stays locked: unlock it with security unlock-keychain, then try again"
	case platformStore(s.goos) != "libsecret":
		return ""
	case s.env("WSL_DISTRO_NAME") != "",
		container == "" && strings.Contains(strings.ToLower(s.read("/proc/version")), "microsoft"):
		return "this is WSL, where no keyring is started: install gnome-keyring " +
			"and run the program inside dbus-run-session, or use its Windows version, which has DPAPI"
	case container != "":
		return "this is " + container + ", where no keyring runs: choose a backend that needs none, in Options.Candidates, and keep the location on a volume"
	case s.bus():
		return ""
	case ssh:
		return "this is an SSH session without a session bus: sign in to the desktop of this machine as well, " +
			"or run the program inside dbus-run-session with a keyring that you unlock"
	case s.env("INVOCATION_ID") != "":
		return "this is a systemd service without a session bus: make it a user service (systemctl --user) " +
			"of somebody who is signed in, or choose a backend that needs no keyring"
	}
	return ""
}

// container names the kind of container that this is, if it is one.
func (s situation) container() string {
	groups := s.read("/proc/1/cgroup")
	switch {
	case s.env("KUBERNETES_SERVICE_HOST") != "", strings.Contains(groups, "kubepods"):
		return "a Kubernetes pod"
	case s.has("/run/.containerenv"), s.env("container") == "podman":
		return "a Podman container"
	case s.has("/.dockerenv"), strings.Contains(groups, "/docker"):
		return "a Docker container"
	case s.env("container") != "", strings.Contains(groups, "/lxc/"):
		return "a container"
	}
	return ""
}

// bus tells whether a session bus is where programs look for one.
func (s situation) bus() bool {
	dir := s.env("XDG_RUNTIME_DIR")
	if !strings.HasPrefix(dir, "/") {
		dir = "/run/user/" + strconv.Itoa(s.euid)
	}
	return s.env("DBUS_SESSION_BUS_ADDRESS") != "" || s.has(dir+"/bus")
}

func (s situation) sudo(tried []Candidate) string {
	user := s.env("SUDO_UID")
	if s.euid != 0 || user == "" || user == "0" || !s.without(tried) {
		return ""
	}
	if _, err := strconv.ParseUint(user, 10, 32); err != nil {
		return ""
	}
	return fmt.Sprintf("this is a root shell of user id %s (sudo), and their key store isn't root's: run the program without sudo", user)
}

// place explains why files can't be written.
func (s situation) place(path string) string {
	switch {
	case s.on(path).readOnly:
		return fmt.Sprintf("%s is on a file system that is read-only: choose a location on a volume that can be written", path)
	case s.env("XDG_RUNTIME_DIR") == "" && s.on(s.temp).readOnly:
		return fmt.Sprintf("the temporary directory %s is read-only, and plugins need a place for their sockets: mount a tmpfs there, or set TMPDIR", s.temp)
	}
	return ""
}

// noPrograms explains why a plugin that is there can't run.
func (s situation) noPrograms(tried []Candidate) string {
	for _, c := range tried {
		refused, ok := errors.AsType[*pluginhost.RefusedError](c.Reason)
		switch {
		case !ok:
		case s.on(refused.Path).noExec:
			return fmt.Sprintf("%s is on a file system that runs no programs (noexec): install the plugin elsewhere", refused.Path)
		case s.on(s.temp).noExec:
			return fmt.Sprintf("the temporary directory %s runs no programs (noexec): set TMPDIR if the program unpacks its plugins there", s.temp)
		}
	}
	return ""
}

// noHome explains why plugins in the home directory aren't found.
func (s situation) noHome(tried []Candidate) string {
	if s.goos == "windows" || s.env("HOME") != "" {
		return ""
	}
	for _, c := range tried {
		if k := backend.KindOf(c.Reason); k == backend.ErrPluginNotFound || k == backend.ErrUnavailable {
			return "HOME isn't set, so nothing of the user's own is found: set it to the user's home directory"
		}
	}
	return ""
}

// noUser explains a user id that some container platforms make up. The user
// database may have more entries than the file; such users have a home.
func (s situation) noUser() string {
	users := s.read("/etc/passwd")
	if home := s.env("HOME"); s.goos == "windows" || s.goos == "darwin" || users == "" || home != "" && home != "/" && s.has(home) {
		return ""
	}
	for line := range strings.Lines(users) {
		if fields := strings.Split(line, ":"); len(fields) > 2 && fields[2] == strconv.Itoa(s.euid) {
			return ""
		}
	}
	return fmt.Sprintf("user id %d has no entry in /etc/passwd, and so no home and no session: "+
		"name a location outside of the home directory, or run as a user that exists", s.euid)
}
