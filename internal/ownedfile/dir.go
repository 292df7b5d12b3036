package ownedfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// MkdirAll creates the directory and its missing parents, each for the user
// alone (0700, on Windows an access list with the user alone). Directories
// that exist stay as they are. Root is refused below a directory of somebody
// else, as by [Open].
func MkdirAll(dir string) error {
	if err := checkPath(dir); err != nil {
		return err
	}
	if fi, err := os.Stat(dir); err == nil {
		if !fi.IsDir() {
			return notDirectory(dir)
		}
		return rootMayUse(dir)
	} else if !errors.Is(err, os.ErrNotExist) {
		return Wrap("create directory", err)
	}
	parent := filepath.Dir(dir)
	if parent == dir { // a drive that isn't there
		return Wrap("create directory", &os.PathError{Op: "mkdir", Path: dir, Err: os.ErrNotExist})
	}
	if err := MkdirAll(parent); err != nil {
		return err
	}
	if err := mkdir(dir); err == nil {
		return settle(parent)
	} else if !errors.Is(err, os.ErrExist) {
		return Wrap("create directory", err)
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() { // else somebody was faster
		return notDirectory(dir)
	}
	return nil
}

// settle makes a new directory durable: what is written in it is no safer than
// its name. A parent that can't be read stays as it is.
func settle(parent string) error {
	f, err := openDir(parent)
	if err != nil {
		return nil
	}
	d := Dir{f: f}
	defer d.Close()
	return d.Sync()
}

// CheckDir tells whether files of ours are safe in a directory: it belongs to
// the user or to root, and nobody else may remove files of ours from it. Write
// access of the group is accepted, because with a umask of 002 every user has
// it for a group of their own. ErrNotFound: there is no such directory.
func CheckDir(dir string) error {
	if err := checkPath(dir); err != nil {
		return err
	}
	if err := rootMayUse(dir); err != nil {
		return err
	}
	fi, err := os.Stat(dir)
	if err != nil {
		return Wrap("open", err)
	}
	if !fi.IsDir() {
		return notDirectory(dir)
	}
	return vetDir(dir, fi)
}

func notDirectory(dir string) error {
	return &backend.Error{
		Op: "open", Kind: backend.ErrInvalid,
		Err:  &os.PathError{Op: "open", Path: dir, Err: errors.New("it is a file or a broken link, and should be a directory")},
		Hint: hintPath,
	}
}

// dirLockPatience bounds the wait in LockDir: holders need microseconds, so
// one that takes longer is stopped or isn't ours.
const dirLockPatience = 2 * time.Second

// A Dir is an open directory, for making changes in it durable.
type Dir struct {
	f    *os.File
	path string
}

// LockDir opens a directory and keeps other callers of LockDir out, in this
// and other processes, until Unlock or Close. It leaves no file behind.
//
// The lock is an aid, not a promise: there is none on file systems without it,
// and a holder that keeps it for two seconds is passed by.
// The only errors are those of opening, and ctx's.
func LockDir(ctx context.Context, dir string) (*Dir, error) {
	f, err := openDir(dir)
	if err != nil {
		return nil, Wrap("open", err)
	}
	d := &Dir{f: f, path: dir}
	deadline := time.Now().Add(dirLockPatience)
	for pause := 100 * time.Microsecond; d.busy() && time.Now().Before(deadline); pause = min(2*pause, 5*time.Millisecond) {
		if err := sleep(ctx, pause); err != nil {
			_ = d.Close()
			return nil, backend.Wrap("lock directory", "", nil, err)
		}
	}
	return d, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Close also unlocks.
func (d *Dir) Close() error {
	if d.f == nil {
		return nil
	}
	return Wrap("close", d.f.Close())
}
