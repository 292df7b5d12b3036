package sqlite

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// sharesMemory tells whether all processes that can use a file see the same
// memory when they map it. On file systems that several machines mount they
// don't. FUSE stands for local file systems too, which then get the slower
// journal.
func sharesMemory(path string) bool {
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		return true // whoever opens the file finds out
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
		unix.V9FS_MAGIC, unix.FUSE_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC,
		unix.CEPH_SUPER_MAGIC, unix.CODA_SUPER_MAGIC, unix.NCP_SUPER_MAGIC, unix.OCFS2_SUPER_MAGIC,
		lustreMagic, gpfsMagic, vboxMagic, vmwareMagic:
		return false
	}
	return true
}

// As their drivers define them; statfs(2) doesn't list them all.
const (
	lustreMagic = 0x0bd00bd0
	gpfsMagic   = 0x47504653
	vboxMagic   = 0x786f4256
	vmwareMagic = 0xbacbacbc
)
