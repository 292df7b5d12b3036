//go:build unix

package pluginhost

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

func systemDirs() []string {
	return []string{"/usr/libexec/msalext", "/usr/local/libexec/msalext"}
}

// policyDir belongs to root on every system.
func policyDir() string {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return "/Library/Application Support/msalext"
	}
	return "/etc/msalext"
}

// userData follows the XDG base directory specification, which says to ignore
// relative values, and Apple's file system guide.
func userData() string {
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		home = ""
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		if home == "" {
			return ""
		}
		return filepath.Join(home, "Library", "Application Support")
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".local", "share")
}

// elevated tells whether this process has rights that the user who started it
// doesn't have, so that the user's files and variables mustn't decide what
// runs with them. sudo names that user; a program that went back to being that
// user has no more rights.
func elevated() bool {
	by, sudo := os.LookupEnv("SUDO_UID")
	return os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() ||
		sudo && by != strconv.Itoa(os.Geteuid()) || secureMode()
}
