package persist

import (
	"errors"

	"golang.org/x/sys/unix"
)

// renameExclusively never replaces a file: then it fails with fs.ErrExist.
func renameExclusively(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // not every file system can, and not every kernel
		return renameByClaim(from, to)
	}
	return err
}
