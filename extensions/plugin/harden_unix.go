//go:build unix

package plugin

import "golang.org/x/sys/unix"

// harden keeps tokens in this process's memory, and its files, from others. A
// system that refuses a part of it is no reason not to serve.
func harden() {
	unix.Umask(0o077)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	undumpable()
}
