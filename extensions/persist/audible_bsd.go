//go:build darwin || freebsd

package persist

import "golang.org/x/sys/unix"

const noNotices = false

// crowdLimit is how many files a directory may have: kqueue(2) needs each of
// them open.
const crowdLimit = 64

// remote tells whether others can change a directory without this system's
// knowledge.
func remote(dir string) bool {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return false // whoever listens finds out
	}
	return uint64(st.Flags)&unix.MNT_LOCAL == 0
}
