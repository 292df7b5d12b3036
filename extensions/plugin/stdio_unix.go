//go:build unix

package plugin

import (
	"os"

	"golang.org/x/sys/unix"
)

// privateStdout moves the real standard output to another descriptor and puts
// standard error in its place, so that neither C libraries nor programs that
// the backend starts can write to the host.
func privateStdout() *os.File {
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return os.Stdout
	}
	if err := dup2(2, 1); err != nil {
		_ = unix.Close(fd)
		return os.Stdout
	}
	return os.NewFile(uintptr(fd), "stdout")
}
