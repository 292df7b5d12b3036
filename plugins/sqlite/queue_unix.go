//go:build unix && !solaris && !illumos && !aix

package sqlite

import (
	"os"

	"golang.org/x/sys/unix"
)

const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK

// lockNow locks a file until it is closed; where files can't be locked it
// counts as done.
func lockNow(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != unix.EWOULDBLOCK
}
