package plugin

import "os"

// stdio are the process's real standard streams, which belong to the host. The
// backend gets others under their names.
type stdio struct {
	in, out, err *os.File
	one          *os.File // descriptor 1, whatever it is now
}

// takeStdio takes the real streams. What the backend prints goes to standard
// error, so to the host's log; its input is empty.
func takeStdio() stdio {
	s := stdio{in: os.Stdin, out: privateStdout(), err: os.Stderr, one: os.Stdout}
	os.Stdout = os.Stderr
	if empty, err := os.Open(os.DevNull); err == nil {
		os.Stdin = empty
	}
	return s
}
