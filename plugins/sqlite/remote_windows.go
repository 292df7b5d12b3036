package sqlite

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// sharesMemory tells whether all processes that can use a file see the same
// memory when they map it. On a network drive they don't.
func sharesMemory(path string) bool {
	root, err := windows.UTF16PtrFromString(filepath.VolumeName(path) + `\`)
	return err != nil || windows.GetDriveType(root) != windows.DRIVE_REMOTE
}
