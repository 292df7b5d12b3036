package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// pinned keeps a file's pages in memory until release: a system that takes away
// what wasn't used for a while would have the disk measured in their place, and
// of a large file more often than of a small one. Where that isn't allowed the
// pages are only fetched.
func pinned(path string) (release func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	pages, err := unix.Mmap(int(f.Fd()), 0, int(fi.Size()), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, err
	}
	if err := unix.Mlock(pages); err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOMEM) {
		return nil, errors.Join(err, unix.Munmap(pages))
	}
	return func() error { return unix.Munmap(pages) }, nil
}
