package pluginhost

import (
	"fmt"
	"os"
	"os/exec"
)

// runsCopies: a copy isn't needed, since the open file is executed.
const runsCopies = false

// byDescriptor executes the very file that was checked. A binary is opened by
// the kernel before close-on-exec closes our descriptor; a script's interpreter
// opens it once more, later, so it inherits a copy: descriptor 3, the first
// after the standard ones. Without /proc the path has to do, and the comparison
// after the start tells of a swap.
func byDescriptor(cmd *exec.Cmd, p *program) {
	const inherited = "/proc/self/fd/3"
	own := fmt.Sprintf("/proc/self/fd/%d", p.file.Fd())
	if _, err := os.Stat(own); err != nil {
		return
	}
	if p.isScript() {
		cmd.Path, cmd.ExtraFiles = inherited, []*os.File{p.file}
		return
	}
	cmd.Path = own
}
