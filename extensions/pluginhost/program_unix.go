//go:build unix

package pluginhost

import (
	"os"
	"runtime"
)

// selfProgram is this program, to be started again. On Linux the kernel's own
// link leads to what runs now, even when an update has replaced the file.
func selfProgram(name string) (*program, error) {
	exe, err := os.Executable()
	if runtime.GOOS == "linux" {
		return &program{name: name, path: exe, run: "/proc/self/exe"}, nil
	}
	if err != nil {
		return nil, refused(name, os.Args[0], "", "the program can't find its own file: %v", err)
	}
	return &program{name: name, path: exe}, nil
}
