//go:build !linux

package ownedfile_test

import "github.com/msalext/msalext/internal/testproc"

var children testproc.Children
