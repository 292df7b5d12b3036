package ownedfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

func mkdir(dir string) error {
	name, err := windows.UTF16PtrFromString(dir)
	if err == nil {
		var sa *windows.SecurityAttributes
		if sa, err = ownerOnly(true); err == nil {
			err = windows.CreateDirectory(name, sa)
		}
	}
	if err != nil {
		return &os.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

// vetDir accepts: access lists of directories under the user's profile keep
// others out, and the files' own owner is checked.
func vetDir(string, fs.FileInfo) error { return nil }

// openDir checks that the directory is there. Windows makes renames durable by
// MOVEFILE_WRITE_THROUGH instead of syncing the directory.
func openDir(dir string) (*os.File, error) {
	_, err := os.Stat(dir)
	return nil, err
}

// lockName is the file that is the lock of a directory, since handles to
// directories can't be locked. The system removes it when its handle closes,
// also by death.
const lockName = ".msalext-dirlock"

// busy tries for the lock; a directory that can't have one isn't busy.
func (d *Dir) busy() bool {
	const shareNothing = 0
	f, err := CreateFile(filepath.Join(d.path, lockName), windows.GENERIC_READ|windows.DELETE, shareNothing,
		windows.OPEN_ALWAYS, windows.FILE_FLAG_DELETE_ON_CLOSE)
	switch {
	case err == nil:
		d.f = f
	case errors.Is(err, windows.ERROR_SHARING_VIOLATION), errors.Is(err, windows.ERROR_DELETE_PENDING),
		errors.Is(err, windows.ERROR_ACCESS_DENIED): // also what a file about to vanish answers
		return true
	}
	return false
}

// Unlock lets the next caller of LockDir in.
func (d *Dir) Unlock() {
	if d.f != nil {
		_ = d.f.Close()
		d.f = nil
	}
}

// Sync does nothing on Windows.
func (d *Dir) Sync() error { return nil }
