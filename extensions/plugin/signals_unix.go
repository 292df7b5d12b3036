//go:build unix

package plugin

import (
	"os"
	"syscall"
)

var (
	endSignals     = []os.Signal{syscall.SIGTERM}
	ignoredSignals = []os.Signal{os.Interrupt, syscall.SIGHUP, syscall.SIGPIPE}
)
