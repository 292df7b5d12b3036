package filelock

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// zombie is SZOMB of <sys/proc.h>.
const zombie = 5

func lookUp(pid int) process {
	k, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(k.Proc.P_pid) != pid {
		return process{alive: exists(pid)}
	}
	start := k.Proc.P_starttime.Nano()
	return process{
		alive: k.Proc.P_stat != zombie,
		start: strconv.FormatInt(start/int64(time.Microsecond), 10),
		began: time.Unix(0, start),
	}
}

func pidNamespace() string { return "" }
