package ownedfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"

	"github.com/msalext/msalext/extensions/backend"
)

// publish closes the file first: peers that open the new content without
// sharing it with writers would fail.
func publish(ctx context.Context, f *os.File, path string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return persist(ctx, func() error { return rename(f.Name(), path) })
}

// claim succeeds, and abandoned doesn't know: how long a file has stayed
// unchanged has to do.
func claim(*os.File) bool                        { return true }
func abandoned(*os.File) (abandoned, known bool) { return false, false }

// rename renames, and returns when the rename is on the disk.
func rename(from, to string) error {
	a, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	b, err := windows.UTF16PtrFromString(to)
	if err == nil {
		err = windows.MoveFileEx(a, b, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func giveWay(dir string) {
	const patience, pause = 20 * time.Millisecond, time.Millisecond
	lock, err := windows.UTF16PtrFromString(filepath.Join(dir, lockName))
	if err != nil {
		return
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pause) {
		if _, err := windows.GetFileAttributes(lock); err == windows.ERROR_FILE_NOT_FOUND || err == windows.ERROR_PATH_NOT_FOUND {
			return
		}
	}
}

// withoutDeadline bounds the patience with readers where ctx doesn't:
// ACCESS_DENIED means a reader, or that the directory can't be written.
const withoutDeadline = 30 * time.Second

// persist repeats what an open file of somebody else holds up.
func persist(ctx context.Context, do func() error) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, withoutDeadline)
		defer cancel()
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := do()
		if err == nil || !heldUp(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return &backend.Error{
				Op: "write", Kind: backend.ErrUnavailable, Err: fmt.Errorf("%w: %w", err, ctx.Err()),
				Hint: "another program keeps the file open; end it and try again",
			}
		case <-time.After(pause):
		}
	}
}

func heldUp(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION) ||
		errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_USER_MAPPED_FILE)
}

func remove(path string) error { return os.Remove(path) }
