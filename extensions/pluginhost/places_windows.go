package pluginhost

import (
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// systemDirs asks the system for the folder: %ProgramFiles% can be set by
// anyone who starts the program.
func systemDirs() []string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramFiles, windows.KF_FLAG_DEFAULT)
	if err != nil {
		return nil
	}
	return []string{filepath.Join(dir, "msalext")}
}

// policyDir is in the Program Files folder, since every user can create folders
// in that for program data.
func policyDir() string {
	if dirs := systemDirs(); len(dirs) > 0 {
		return dirs[0]
	}
	return ""
}

func userData() string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_LocalAppData, windows.KF_FLAG_DEFAULT)
	if err != nil {
		return ""
	}
	return dir
}

// elevated tells whether the user consented to more rights than the session
// has: the token is the full half of a split one. Where tokens aren't split,
// as for services and the built-in administrator, nothing was elevated.
func elevated() bool {
	const full = 2 // TokenElevationTypeFull
	var kind, size uint32
	err := windows.GetTokenInformation(windows.GetCurrentProcessToken(), windows.TokenElevationType,
		(*byte)(unsafe.Pointer(&kind)), uint32(unsafe.Sizeof(kind)), &size)
	return err == nil && kind == full
}
