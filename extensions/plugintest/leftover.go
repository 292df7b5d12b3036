package plugintest

import "os"

// endLeftover ends a plugin that has outlived its host.
func endLeftover(pid int) {
	if pid <= 0 || !alive(pid) {
		return
	}
	if p, err := os.FindProcess(pid); err == nil {
		kill(p)
	}
}
