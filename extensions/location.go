package extensions

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

// DefaultLocation returns where an application of this name keeps its token
// cache: the file "token-cache" in the directory that the system has for such
// data, which is %LocalAppData%\<app> on Windows, ~/Library/Application
// Support/<app> on macOS, and $XDG_DATA_HOME/<app> or ~/.local/share/<app>
// elsewhere (XDG Base Directory Specification). It creates nothing.
//
// The name must do as a directory's name. ErrInvalid: it doesn't, or the
// environment tells no home directory.
func DefaultLocation(app string) (string, error) {
	if !filepath.IsLocal(app) || app == "." || strings.ContainsAny(app, `/\:`) {
		return "", invalid("find the default location", "the application's name can't be a directory's name", "use letters, digits, - and _")
	}
	base, err := dataDir()
	if err != nil {
		return "", &backend.Error{Op: "find the default location", Kind: backend.ErrInvalid, Err: err,
			Hint: "set HOME, or name a location"}
	}
	return filepath.Join(base, app, "token-cache"), nil
}

func dataDir() (string, error) {
	switch runtime.GOOS {
	case "windows":
		return os.UserCacheDir() // %LocalAppData%, which doesn't roam: DPAPI keys don't either
	case "darwin":
		return os.UserConfigDir() // ~/Library/Application Support
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) { // the specification has relative ones ignored
		return dir, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share"), err
}

// resolve makes a location absolute, with "~/" as MSAL Extensions for Python
// expand it.
func resolve(location string) (string, error) {
	const op = "open"
	switch {
	case location == "":
		return "", invalid(op, "the location is empty", "name a file, or use DefaultLocation")
	case strings.ContainsRune(location, 0):
		return "", invalid(op, "the location has a NUL in it", "name a file, or use DefaultLocation")
	case os.IsPathSeparator(location[len(location)-1]):
		return "", invalid(op, "the location is a directory", "name a file in it")
	}
	if rest, ok := strings.CutPrefix(location, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", &backend.Error{Op: op, Kind: backend.ErrInvalid, Err: err, Hint: "set HOME, or give an absolute location"}
		}
		return filepath.Join(home, rest), nil
	}
	path, err := filepath.Abs(location)
	if err != nil {
		return "", &backend.Error{Op: op, Kind: backend.ErrInvalid, Err: err, Hint: "give an absolute location"}
	}
	return path, nil
}

func invalid(op, why, hint string) error {
	return &backend.Error{Op: op, Kind: backend.ErrInvalid, Err: errors.New(why), Hint: hint}
}
