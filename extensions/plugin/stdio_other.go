//go:build !unix

package plugin

import "os"

func privateStdout() *os.File { return os.Stdout }
