package extensions

import "golang.org/x/sys/unix"

func mountingOf(path string) mounting {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return mounting{}
	}
	return mounting{readOnly: st.Flags&unix.ST_RDONLY != 0, noExec: st.Flags&unix.ST_NOEXEC != 0}
}
