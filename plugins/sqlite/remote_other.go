//go:build !linux && !darwin && !freebsd && !windows

package sqlite

// sharesMemory tells whether all processes that can use a file see the same
// memory when they map it. Here that isn't known.
func sharesMemory(string) bool { return false }
