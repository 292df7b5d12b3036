package plugin

import "golang.org/x/sys/unix"

// dup2 is dup3, since Linux on arm64 has no other.
func dup2(old, fd int) error { return unix.Dup3(old, fd, 0) }

// undumpable keeps other processes of the user from reading this one's memory.
// The kernel also gives /proc/<pid> to root then: the process itself may still
// look into it, others may not.
func undumpable() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
