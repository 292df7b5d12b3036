//go:build unix && !linux

package plugintest

import "syscall"

// alive tells whether there is a process of that id.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
