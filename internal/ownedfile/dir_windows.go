package ownedfile

import (
	"io/fs"
	"os"

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

func (d *Dir) busy() bool { return false }

// Unlock does nothing on Windows.
func (d *Dir) Unlock() {}

// Sync does nothing on Windows.
func (d *Dir) Sync() error { return nil }
