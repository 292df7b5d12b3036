package ownedfile

import (
	"os"
	"time"
)

// A Stamp shows, when it differs, that a file was changed or replaced. Two
// stamps compare with ==. Equal ones prove nothing while the file is younger
// than a tick of the file system's clock.
type Stamp struct {
	Dev, Ino     uint64 // on Windows volume serial number and file index
	Size         int64
	Mtime, Ctime int64 // nanoseconds since 1970; Ctime is the change time
}

// SameFile tells whether both stamps are of one file, whatever its content.
// That holds while one of the two is kept open: numbers come back after a
// file is gone.
func (s Stamp) SameFile(t Stamp) bool { return s.Dev == t.Dev && s.Ino == t.Ino }

// Modified is the time of the last write.
func (s Stamp) Modified() time.Time { return time.Unix(0, s.Mtime) }

// Stat reads the stamp of the file at path, itself and not what a symbolic
// link points to. It costs one system call on Unix. A missing file is
// ErrNotFound.
func Stat(path string) (Stamp, error) {
	s, err := lstat(path)
	if err != nil {
		return Stamp{}, Wrap("stat", &os.PathError{Op: "lstat", Path: path, Err: err})
	}
	return s, nil
}

// StatOpen reads the stamp of an open file.
func StatOpen(f *os.File) (Stamp, error) {
	s, err := fstat(f)
	if err != nil {
		return Stamp{}, Wrap("stat", &os.PathError{Op: "fstat", Path: f.Name(), Err: err})
	}
	return s, nil
}
