//go:build !linux

package extensions

// mountingOf knows of nothing special: containers, where it matters, are Linux.
func mountingOf(string) mounting { return mounting{} }
