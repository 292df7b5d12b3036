package sqlite

import (
	"os"

	"golang.org/x/sys/windows"
)

const noFollow = 0

// lockNow locks a file until it is closed; where files can't be locked it
// counts as done.
func lockNow(f *os.File) bool {
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, new(windows.Overlapped)) != windows.ERROR_LOCK_VIOLATION
}
