//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ownedfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// claim locks a temporary file for as long as it is open, which shows that its
// writer lives. It fails when a sweep came between creating and locking; a
// file system without locks counts as success.
func claim(f *os.File) bool {
	if lockNow(f) == unix.EWOULDBLOCK {
		return false
	}
	var st unix.Stat_t
	err := ignoringEINTR(func() error { return unix.Fstat(int(f.Fd()), &st) })
	return err != nil || st.Nlink > 0
}

// abandoned tells whether nobody has a temporary file locked. It isn't known
// where locks don't work. The file stays locked, so that one which is just
// being created can't be claimed any more.
func abandoned(f *os.File) (abandoned, known bool) {
	switch lockNow(f) {
	case nil:
		return true, true
	case unix.EWOULDBLOCK:
		return false, true
	}
	return false, false
}

func lockNow(f *os.File) error {
	return ignoringEINTR(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
}
