//go:build !linux

package pluginhost

import (
	"os/exec"
	"runtime"
)

// runsCopies: where a hash was checked, a private copy with that hash is executed,
// so that nobody can exchange the file in between. On Windows the open file keeps
// everybody from writing and renaming it.
const runsCopies = runtime.GOOS != "windows"

// byDescriptor does nothing: these systems execute by path, and the comparison
// after the start tells of a swap.
func byDescriptor(*exec.Cmd, *program) {}
