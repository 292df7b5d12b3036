package filelock

import "time"

// process is what the system tells of a process id now.
type process struct {
	alive bool      // false also for a zombie: it holds nothing any more
	start string    // differs between processes that had the id; empty: not known
	began time.Time // zero: not known
}
