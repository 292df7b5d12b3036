//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ownedfile

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openNoFollow doesn't wait for a FIFO's other end: O_NONBLOCK has no effect
// on the regular files that pass the later check.
func openNoFollow(path string, flag int) (*os.File, error) {
	return os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
}

// vet checks the file itself, by descriptor, so that nobody can swap it
// between check and use.
func vet(f *os.File, anyMode bool) (tightened bool, err error) {
	var st unix.Stat_t
	if err := ignoringEINTR(func() error { return unix.Fstat(int(f.Fd()), &st) }); err != nil {
		return false, Wrap("open", &os.PathError{Op: "fstat", Path: f.Name(), Err: err})
	}
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return false, directoryError(f.Name())
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return false, refuse(f.Name(), "it is not a regular file", "remove it, or choose another location")
	case st.Nlink > 1: // 0: a writer replaced it since it was opened
		return false, refuse(f.Name(), "the file has a second name (hard link)", "remove the other name, or copy the file and put the copy in its place")
	case int(st.Uid) != os.Geteuid():
		return false, foreign(f.Name(), int(st.Uid))
	case anyMode || st.Mode&0o077 == 0:
		return false, nil
	case st.Mode&0o022 != 0:
		return false, refuse(f.Name(), "other users can write it", "make sure that its content is yours, then run: chmod 600 "+f.Name())
	}
	if err := f.Chmod(0o600); err != nil {
		return false, Wrap("open", err)
	}
	return true, nil
}

// foreign explains whose file it is, with the usual cause and cure.
func foreign(path string, uid int) error {
	reason := fmt.Sprintf("it belongs to user id %d, not to %d", uid, os.Geteuid())
	if uid == 0 {
		return refuse(path, reason, fmt.Sprintf("a run under sudo may have created it; give it back with: sudo chown %d %s", os.Geteuid(), path))
	}
	return refuse(path, reason, "choose a location of your own")
}

// refusal explains an open that the system refused, or is nil when it can't
// say more than the error does.
func refusal(path string, err error) error {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil {
		return nil
	}
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFLNK: // ELOOP, on FreeBSD EMLINK, on NetBSD EFTYPE
		return refuse(path, "it is a symbolic link", "give the location of the file itself")
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return directoryError(path)
	case st.Mode&unix.S_IFMT != unix.S_IFREG: // ENXIO of a FIFO nobody reads, or of a socket
		return refuse(path, "it is not a regular file", "remove it, or choose another location")
	case os.IsPermission(err) && int(st.Uid) != os.Geteuid():
		return foreign(path, int(st.Uid))
	}
	return nil
}

// rootMayUse refuses root in a directory of somebody else. For all others the
// system's own permissions decide. A directory that isn't there passes: what
// follows reports it better.
func rootMayUse(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st unix.Stat_t
	err := ignoringEINTR(func() error { return unix.Stat(dir, &st) })
	if err != nil || st.Uid == 0 {
		return nil
	}
	return refuse(dir, fmt.Sprintf("the directory belongs to user id %d and this process is root", st.Uid),
		"run it without sudo, or choose a location of root's own: files of root would lock that user out")
}

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
