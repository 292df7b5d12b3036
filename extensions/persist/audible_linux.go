package persist

import "golang.org/x/sys/unix"

const noNotices = false

// crowdLimit: there is none, a directory costs the same whatever is in it.
const crowdLimit = 0

// remote tells whether others can change a directory without this system's
// knowledge. Only this machine's own changes reach inotify: see inotify(7),
// "Limitations and caveats". FUSE stands for local file systems too, which are
// then looked at more often than they need.
func remote(dir string) bool {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return false // whoever listens finds out
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
		unix.V9FS_MAGIC, unix.FUSE_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC,
		unix.CEPH_SUPER_MAGIC, unix.CODA_SUPER_MAGIC, unix.NCP_SUPER_MAGIC, unix.OCFS2_SUPER_MAGIC,
		lustreMagic, gpfsMagic, vboxMagic, vmwareMagic:
		return true
	}
	return false
}

// As their drivers define them; statfs(2) doesn't list them all.
const (
	lustreMagic = 0x0bd00bd0
	gpfsMagic   = 0x47504653
	vboxMagic   = 0x786f4256
	vmwareMagic = 0xbacbacbc
)
