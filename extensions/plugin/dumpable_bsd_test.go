//go:build unix && !linux

package plugin

const wantDumpable = 1

func dumpable() int { return 1 }
