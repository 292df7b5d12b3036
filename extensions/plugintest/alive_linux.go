package plugintest

import (
	"bytes"
	"fmt"
	"os"
)

// alive tells whether a process runs. One that has ended and that nobody has
// waited for doesn't: see proc_pid_stat(5).
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(state) == 0 || state[0] != 'Z' && state[0] != 'X'
}
