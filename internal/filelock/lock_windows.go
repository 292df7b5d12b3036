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

// enterQueue waits in the kernel until we are first, or not, and then is errBusy
// where somebody else is. Closing the file leaves.
func enterQueue(path string, wait bool) (*os.File, error) {
	f, err := ownedfile.OpenAnyMode(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	how := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK)
	if !wait {
		how |= windows.LOCKFILE_FAIL_IMMEDIATELY
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, new(windows.Overlapped))
	if err == nil {
		return f.File, nil
	}
	_ = f.Close()
	switch {
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		return nil, errBusy
	case errors.Is(err, windows.ERROR_INVALID_FUNCTION), errors.Is(err, windows.ERROR_NOT_SUPPORTED):
		return nil, errNoFlock
	}
	return nil, &os.PathError{Op: "LockFileEx", Path: path, Err: err}
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
	return nil, t.judge()
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
func (t *taking) judge() error {
	stale, err := t.peek()
	if err != nil || !stale {
		return err
	}
	f, err := ownedfile.CreateFile(t.path, lockAccess, lockShare, windows.OPEN_EXISTING, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return t.busyOr(err)
	}
	defer f.Close()
	if id, err := ownedfile.StatOpen(f); err != nil || id != t.watched.id {
		return nil // another one by now
	}
	if err := deleteOnClose(f); err != nil {
		return ownedfile.Wrap("lock", &os.PathError{Op: "remove", Path: t.path, Err: err})
	}
	t.cleared = true
	return nil
}

// peek tells whether the lock file seems left behind. It shares everything:
// Python holds the lock without a handle and ignores that it can't remove the
// file, which would then name a living process and stay.
func (t *taking) peek() (stale bool, err error) {
	const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	f, err := ownedfile.CreateFile(t.path, windows.GENERIC_READ, shareAll, windows.OPEN_EXISTING, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, t.busyOr(err)
	}
	defer f.Close()
	if err := ownedfile.Check(f); err != nil {
		return false, err
	}
	id, err := ownedfile.StatOpen(f)
	return err == nil && t.stale(f, id, true), nil
}

func deleteOnClose(f *os.File) error {
	yes := byte(1) // FILE_DISPOSITION_INFO{DeleteFile: TRUE}
	return windows.SetFileInformationByHandle(windows.Handle(f.Fd()), windows.FileDispositionInfo, &yes, 1)
}

// free closes the handle, and the system removes the file. l.mu is held.
func (l *Lock) free() error { return l.file.Close() }

// discard gives up a file that was created and could not be used.
func discard(_ string, f *os.File) { _ = f.Close() }
