package filelock

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is USER_HZ, which is 100 on every architecture that Go runs
// on: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
const ticksPerSecond = 100

func lookUp(pid int) process {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil { // also where /proc hides other users' processes
		return process{alive: exists(pid)}
	}
	// The program's name, in parentheses, may hold spaces and parentheses.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const state, start = 0, 19 // fields 3 and 22 of the manual page, counted from the one after the name
	if len(fields) <= start {
		return process{alive: exists(pid)}
	}
	p := process{alive: fields[state] != "Z" && fields[state] != "X", start: fields[start]}
	if ticks, err := strconv.ParseInt(p.start, 10, 64); err == nil {
		if boot := bootTime(); !boot.IsZero() {
			p.began = boot.Add(time.Duration(ticks) * (time.Second / ticksPerSecond))
		}
	}
	return p
}

// bootTime is read each time: it moves when the clock is set.
func bootTime() time.Time {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}
	}
	_, rest, found := strings.Cut(string(stat), "\nbtime ")
	line, _, _ := strings.Cut(rest, "\n")
	seconds, err := strconv.ParseInt(line, 10, 64)
	if !found || err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// pidNamespace is the namespace's inode number, for example "4026531836".
func pidNamespace() string {
	link, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.Trim(link, "pid:[]")
}
