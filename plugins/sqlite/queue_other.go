//go:build !windows && (!unix || solaris || illumos || aix)

package sqlite

import "os"

const noFollow = 0

// lockNow counts as done: here there is no lock that needs no file of its own.
func lockNow(*os.File) bool { return true }
