package pluginhost

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// inherited is what the system's own libraries need to load and to find the
// user's profile.
var inherited = []string{
	"SystemRoot", "SystemDrive", "USERPROFILE", "USERNAME", "USERDOMAIN",
	"APPDATA", "LOCALAPPDATA", "ProgramData", "TEMP", "TMP",
}

func systemPath() string {
	dir, err := windows.GetSystemDirectory()
	if err != nil {
		return ""
	}
	return dir + string(filepath.ListSeparator) + filepath.Dir(dir)
}
