//go:build !unix

package plugin

import (
	"os"
	"syscall"
)

// On Windows SIGTERM stands for the end of the console, the session or the
// system.
var (
	endSignals     = []os.Signal{syscall.SIGTERM}
	ignoredSignals = []os.Signal{os.Interrupt}
)
