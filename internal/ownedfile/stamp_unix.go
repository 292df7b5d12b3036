//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ownedfile

import (
	"os"

	"golang.org/x/sys/unix"
)

func lstat(path string) (Stamp, error) {
	var st unix.Stat_t
	if err := ignoringEINTR(func() error { return unix.Lstat(path, &st) }); err != nil {
		return Stamp{}, err
	}
	return stampOf(&st), nil
}

func fstat(f *os.File) (Stamp, error) {
	var st unix.Stat_t
	if err := ignoringEINTR(func() error { return unix.Fstat(int(f.Fd()), &st) }); err != nil {
		return Stamp{}, err
	}
	return stampOf(&st), nil
}

func stampOf(st *unix.Stat_t) Stamp {
	return Stamp{
		Dev: uint64(st.Dev), Ino: uint64(st.Ino), Size: int64(st.Size),
		Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(),
	}
}
