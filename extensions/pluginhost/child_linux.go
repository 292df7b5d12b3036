package pluginhost

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// await waits for the process, and ends its group in between its end and its
// being waited for: only then the group's id is sure to be its own.
func (c *child) await() {
	err := unix.EINTR
	for err == unix.EINTR {
		err = errno(unix.Waitid(unix.P_PID, c.pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
	}
	if err != 0 { // someone else waits for all children of this program
		_ = c.cmd.Wait()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == 0 {
		c.group.kill(c.pid)
		_ = c.cmd.Wait()
	}
	c.over = true
}

func errno(err error) unix.Errno {
	number, _ := errors.AsType[unix.Errno](err)
	return number
}

// stopped tells whether the process was stopped by a signal, and so can't
// answer, however long one waits. See proc_pid_stat(5).
func stopped(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(state) > 0 && (state[0] == 'T' || state[0] == 't')
}
