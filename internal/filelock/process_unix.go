//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filelock

import "golang.org/x/sys/unix"

// exists asks the kernel whether a process has this id. A process of another
// user (EPERM) exists.
func exists(pid int) bool {
	err := unix.Kill(pid, 0)
	return err == nil || err == unix.EPERM
}
