package filelock

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// An open handle is the lock: it grants others reading only, so .NET and Go,
// which open for writing, fail with a sharing violation, and nobody can remove
// the file. The system removes it when the handle closes, also by death.
const (
	lockAccess = windows.GENERIC_READ | windows.GENERIC_WRITE | windows.DELETE
	lockShare  = windows.FILE_SHARE_READ
)

// deniedLimit bounds how often ACCESS_DENIED counts as "busy": it is what a
// file about to vanish answers, and also a directory that can't be written.
const deniedLimit = 100

// platform is what a taking remembers on Windows.
type platform struct {
	cleared bool // a dead holder's file was removed
	denied  int
}

// enterQueue waits in the kernel until we are first. Closing the file leaves.
func enterQueue(path string) (*os.File, error) {
	f, err := ownedfile.OpenAnyMode(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, new(windows.Overlapped))
	if err != nil {
		_ = f.Close()
		if errors.Is(err, windows.ERROR_INVALID_FUNCTION) || errors.Is(err, windows.ERROR_NOT_SUPPORTED) {
			return nil, errNoFlock
		}
		return nil, &os.PathError{Op: "LockFileEx", Path: path, Err: err}
	}
	return f.File, nil
}

// try tries once. It returns nothing when another try may succeed.
func (t *taking) try() (*Lock, error) {
	f, err := ownedfile.CreateFile(t.path, lockAccess, lockShare, windows.CREATE_NEW, windows.FILE_FLAG_DELETE_ON_CLOSE)
	switch {
	case err == nil:
		return t.held(f, t.cleared)
	case !errors.Is(err, os.ErrExist):
		return nil, t.busyOr(err)
	}
	f, err = ownedfile.CreateFile(t.path, lockAccess, lockShare, windows.OPEN_EXISTING, 0)
	switch {
	case err == nil:
		return nil, t.judge(f)
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	}
	return nil, t.busyOr(err)
}

// busyOr is nil when the error means that somebody has the file.
func (t *taking) busyOr(err error) error {
	switch {
	case errors.Is(err, windows.ERROR_SHARING_VIOLATION), errors.Is(err, windows.ERROR_DELETE_PENDING):
		t.denied = 0
		return nil
	case errors.Is(err, windows.ERROR_ACCESS_DENIED) && t.denied < deniedLimit:
		t.denied++
		return nil
	}
	if errors.Is(err, os.ErrNotExist) {
		return &backend.Error{
			Op: "lock", Kind: backend.ErrUnavailable, Err: err,
			Hint: "create the directory " + filepath.Dir(t.path),
		}
	}
	return ownedfile.Wrap("lock", err)
}

// judge removes the file of an existence-only holder that died. The next try
// then creates ours, which the system removes whatever happens to us.
func (t *taking) judge(f *os.File) error {
	defer f.Close()
	if err := ownedfile.Check(f); err != nil {
		return err
	}
	id, err := ownedfile.StatOpen(f)
	if err != nil || !t.stale(f, id, true) {
		return nil
	}
	if err := deleteOnClose(f); err != nil {
		return ownedfile.Wrap("lock", &os.PathError{Op: "remove", Path: t.path, Err: err})
	}
	t.cleared = true
	return nil
}

func deleteOnClose(f *os.File) error {
	yes := byte(1) // FILE_DISPOSITION_INFO{DeleteFile: TRUE}
	return windows.SetFileInformationByHandle(windows.Handle(f.Fd()), windows.FileDispositionInfo, &yes, 1)
}

// free closes the handle, and the system removes the file. l.mu is held.
func (l *Lock) free() error { return l.file.Close() }

// discard gives up a file that was created and could not be used.
func discard(_ string, f *os.File) { _ = f.Close() }
