package pluginhost

import "golang.org/x/sys/unix"

// hasACL tells whether a POSIX access list stands behind the group's bits,
// which then are a mask and may let named users write.
func hasACL(path string) bool {
	size, err := unix.Lgetxattr(path, "system.posix_acl_access", nil)
	return err == nil && size > 0
}

// runsByDescriptor: the file that was checked is executed, whatever its path
// leads to by then.
const runsByDescriptor = true
