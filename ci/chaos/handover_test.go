//go:build chaos

package chaos

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKillDuringHandOver kills, of four writers that all want the lock, now
// the one that holds it and now the one that is first in the queue.
func TestKillDuringHandOver(t *testing.T) {
	t.Parallel()
	s := newStorm(t, []string{linked, linked, linked, plugin}, []string{linked})
	var heals []time.Duration
	kills := map[string]int{}
	for i := range rounds(30, 200) {
		who, find := "holder", s.holder
		if i%2 == 1 {
			who, find = "first in the queue", s.first
		}
		w := s.find(t, find)
		at := time.Now()
		s.workers[w].kill(t, host)
		s.workers[w].await(t, s.workers[w].ended, "it dies")
		heals = append(heals, s.healed(t, at))
		s.workers[w] = s.start(t, s.workers[w])
		kills[who]++
	}
	s.finish(t)
	s.nextStart(t, linked, s.ledger)
	s.check(t, s.stored(t))
	s.onlyLostPlugins(t)
	t.Logf("killed: %v; %v", kills, s.ledger)
	logTimes(t, "until the next acknowledged write", heals)
}

// find waits until find names the process of a writer.
func (s *storm) find(t *testing.T, find func() int) int {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		pid := find()
		for i, w := range s.workers {
			if w.name == "write" && w.cmd.Process.Pid == pid {
				return i
			}
		}
	}
	t.Fatal("nobody holds the lock, or waits for it")
	return 0
}

// holder is who the lock file names, 0 while it is free.
func (s *storm) holder() int {
	text, _ := os.ReadFile(s.cache() + ".lockfile")
	pid, _, _ := strings.Cut(string(text), " ")
	n, _ := strconv.Atoi(pid)
	return n
}

// first is who has the queue, as the kernel tells.
func (s *storm) first() int {
	fi, err := os.Stat(s.cache() + ".lockqueue")
	if err != nil {
		return 0
	}
	inode := strconv.FormatUint(fi.Sys().(*syscall.Stat_t).Ino, 10)
	locks, _ := os.ReadFile(filepath.Join("/proc", "locks"))
	for line := range strings.Lines(string(locks)) {
		f := strings.Fields(line) // 1: FLOCK ADVISORY WRITE <pid> <device>:<inode> 0 EOF
		if len(f) == 8 && f[1] == "FLOCK" && strings.HasSuffix(f[5], ":"+inode) {
			pid, _ := strconv.Atoi(f[4])
			return pid
		}
	}
	return 0
}
