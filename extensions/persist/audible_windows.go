package persist

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// crowdLimit: there is none, a directory costs the same whatever is in it.
const crowdLimit = 0

// remote tells whether a directory is on another machine. Servers needn't
// support change notices and may send fewer than there are changes: see
// ReadDirectoryChangesW.
func remote(dir string) bool {
	volume := filepath.VolumeName(dir)
	if strings.HasPrefix(volume, `\\`) {
		return true
	}
	root, err := windows.UTF16PtrFromString(volume + `\`)
	return err == nil && windows.GetDriveType(root) == windows.DRIVE_REMOTE
}
