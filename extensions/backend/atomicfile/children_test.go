//go:build !linux

package atomicfile_test

import "github.com/msalext/msalext/internal/testproc"

var children testproc.Children
