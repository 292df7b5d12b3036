//go:build !linux

package testproc

import "os"

func executable() (string, error) { return os.Executable() }
