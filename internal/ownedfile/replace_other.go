//go:build !windows

package ownedfile

import (
	"context"
	"os"
)

func rename(from, to string) error { return os.Rename(from, to) }

func remove(path string) error { return os.Remove(path) }

// persist does it once: open files hold up nothing here.
func persist(_ context.Context, do func() error) error { return do() }
