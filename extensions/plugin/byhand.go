package plugin

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/wire"
)

func quit(status int, message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(status)
}

// byHand tells a person what the program is and where it must lie.
func byHand(name string) string {
	file := "msalext-plugin-" + wire.Clean(name)
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	return fmt.Sprintf(`%[1]s is a plugin: programs that use msalext start it to keep their token cache. It isn't run by hand.

Install it, named %[1]s, in one of these places:
  %[2]s (for all users)
  the folder msalext-plugins beside the program that needs it
  %[3]s (for you alone, and for programs that list the SHA-256 of this file)

"%[1]s version" prints its version.`, file, systemDir(), userDir())
}

func systemDir() string {
	switch runtime.GOOS {
	case "windows":
		return `%ProgramFiles%\msalext`
	case "linux":
		return "/usr/libexec/msalext"
	}
	return "/usr/local/libexec/msalext"
}

func userDir() string {
	switch runtime.GOOS {
	case "windows":
		return `%LocalAppData%\msalext\plugins`
	case "darwin":
		return "~/Library/Application Support/msalext/plugins"
	}
	return "~/.local/share/msalext/plugins"
}

func printVersion(w io.Writer, d backend.Description) {
	version := d.Version
	if info, ok := debug.ReadBuildInfo(); version == "" && ok {
		version = info.Main.Version
	}
	fmt.Fprintln(w, wire.Clean(d.Name), wire.Clean(version))
}
