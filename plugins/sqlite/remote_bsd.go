//go:build darwin || freebsd

package sqlite

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// sharesMemory tells whether all processes that can use a file see the same
// memory when they map it. On file systems that several machines mount they
// don't.
func sharesMemory(path string) bool {
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		return true // whoever opens the file finds out
	}
	return uint64(st.Flags)&unix.MNT_LOCAL != 0
}
