package plugintest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/msalext/msalext/internal/canary"
)

const seesProcesses = true

// A watcher looks for secrets in what the system shows of processes.
type watcher struct {
	secrets map[string]string // by what they are
	seen    map[string]bool   // what was found
	looks   int               // environments that could be read
}

// begin looks at a process and all that descend from it, again and again, until
// what it returns is called.
func (w *watcher) begin(pid int) func() {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			for _, p := range family(pid) {
				w.look(p)
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() {
		close(stop)
		<-done
	}
}

func (w *watcher) look(pid int) {
	for _, place := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, place))
		if err == nil && place == "environ" {
			w.looks++
		}
		for what, secret := range w.secrets {
			for _, sighting := range canary.Find(text, secret) {
				w.seen[fmt.Sprintf("%s of a process shows %s (%s)", place, what, sighting.Form)] = true
			}
		}
	}
}

// family is a process with its descendants, of whom a parent still lives.
func family(pid int) []int {
	all := []int{pid}
	children := parents()
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// parents maps each process to its children, by proc_pid_stat(5).
func parents() map[int][]int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	children := map[int][]int{}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || len(fields) < 2 {
			continue
		}
		if parent, err := strconv.Atoi(string(fields[1])); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	return children
}
