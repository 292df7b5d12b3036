//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ownedfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func mkdir(dir string) error { return os.Mkdir(dir, 0o700) }

func vetDir(dir string, fi fs.FileInfo) error {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if uid := int(st.Uid); uid != 0 && uid != os.Geteuid() {
		return refuse(dir, fmt.Sprintf("the directory belongs to user id %d", uid), "choose a location of your own")
	}
	if fi.Mode().Perm()&0o002 != 0 && fi.Mode()&fs.ModeSticky == 0 {
		return refuse(dir, "everybody can replace files in the directory", "run: chmod o-w "+dir)
	}
	return nil
}

func openDir(dir string) (*os.File, error) {
	return os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
}

// busy tries for the lock; what can't be locked isn't busy.
func (d *Dir) busy() bool {
	err := ignoringEINTR(func() error { return unix.Flock(int(d.f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
	return err == unix.EWOULDBLOCK
}

// Unlock lets the next caller of LockDir in; the directory stays open.
func (d *Dir) Unlock() { _ = unix.Flock(int(d.f.Fd()), unix.LOCK_UN) }

// Sync makes renames and removals in the directory durable. File systems that
// can't (EINVAL, ENOTSUP: some network and FUSE mounts) count as done.
func (d *Dir) Sync() error {
	err := d.f.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return Wrap("sync directory", err)
}
