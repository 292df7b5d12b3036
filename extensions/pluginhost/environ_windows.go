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

// accountEnv is what the system says of itself and of the user's profile.
func accountEnv() map[string]string {
	env := map[string]string{}
	for name, folder := range map[string]*windows.KNOWNFOLDERID{
		"SystemRoot": windows.FOLDERID_Windows, "ProgramData": windows.FOLDERID_ProgramData,
		"USERPROFILE": windows.FOLDERID_Profile, "APPDATA": windows.FOLDERID_RoamingAppData,
		"LOCALAPPDATA": windows.FOLDERID_LocalAppData,
	} {
		if dir, err := windows.KnownFolderPath(folder, windows.KF_FLAG_DEFAULT); err == nil {
			env[name] = dir
		}
	}
	env["SystemDrive"] = filepath.VolumeName(env["SystemRoot"])
	return env
}
