//go:build unix

package plugintest

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate keeps signals for this program from the plugin.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// kill ends a process with all that it started.
func kill(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	_ = p.Kill()
}
