//go:build unix

package pluginhost

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate puts the process in a group of its own: Ctrl-C in the terminal is
// meant for the program and mustn't end its plugin in mid-save.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// A group is the process group whose leader is the plugin.
type group struct{}

func adopt(*os.Process) group { return group{} }

// kill may be called as long as the leader wasn't waited for, or right after:
// until then its id can't name another group.
func (group) kill(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

func (group) close() {}
