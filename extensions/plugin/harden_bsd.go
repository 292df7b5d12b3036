//go:build unix && !linux

package plugin

import "golang.org/x/sys/unix"

func dup2(old, fd int) error { return unix.Dup2(old, fd) }

func undumpable() {}
