package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/msalext/msalext/extensions/backend"
)

const (
	hintSpace   = "free some disk space; what was stored before is unchanged"
	hintFailing = "the disk, or the connection to it, fails: look into the system's log, and try again"
	hintDenied  = "check who owns the database and its directory, and their permissions"
	hintDamaged = "it is kept: stop the programs that use it, and restore a backup, or move it and the files with \"-wal\" and \"-shm\" away"
)

var damaged = &backend.Error{Kind: backend.ErrCorrupt, Err: errors.New("the database is damaged"), Hint: hintDamaged}

// codes are SQLite's result codes that have a meaning of their own; the others
// tell of the disk. Its messages are left out, since they quote the database.
var codes = map[sqlite3.ErrorCode]backend.Error{
	sqlite3.BUSY:       {Kind: backend.ErrLockTimeout, Hint: "find the program that keeps the database locked, and end it"},
	sqlite3.LOCKED:     {Kind: backend.ErrLockTimeout, Hint: "find the program that keeps the database locked, and end it"},
	sqlite3.PROTOCOL:   {Kind: backend.ErrLockTimeout, Hint: "try again; if it stays, see whether the file system's locks work"},
	sqlite3.CORRUPT:    {Kind: backend.ErrCorrupt, Hint: hintDamaged},
	sqlite3.NOTADB:     {Kind: backend.ErrCorrupt, Hint: hintDamaged},
	sqlite3.CONSTRAINT: {Kind: backend.ErrCorrupt, Hint: hintDamaged},
	sqlite3.MISMATCH:   {Kind: backend.ErrCorrupt, Hint: hintDamaged},
	sqlite3.ERROR:      {Kind: backend.ErrCorrupt, Hint: hintDamaged}, // its tables aren't ours
	sqlite3.TOOBIG:     {Kind: backend.ErrTooLarge, Hint: "use a shorter key or keep fewer accounts in one cache"},
	sqlite3.FULL:       {Kind: backend.ErrUnavailable, Hint: hintSpace},
	sqlite3.READONLY:   {Kind: backend.ErrDenied, Hint: "see whether the file system can be written; " + hintDenied},
	sqlite3.PERM:       {Kind: backend.ErrDenied, Hint: hintDenied},
	sqlite3.AUTH:       {Kind: backend.ErrDenied, Hint: hintDenied},
	sqlite3.IOERR:      {Kind: backend.ErrUnavailable, Hint: hintFailing},
	sqlite3.CANTOPEN:   {Kind: backend.ErrUnavailable, Hint: hintFailing},
}

// explain turns errors of SQLite and the system into kinds.
func explain(err error) error {
	if err == nil || backend.KindOf(err) != nil {
		return err
	}
	var cause error
	e := &backend.Error{Kind: backend.ErrUnavailable, Err: err, Hint: hintFailing}
	var extended sqlite3.ExtendedErrorCode
	if errors.As(err, &extended) {
		known := codes[extended.Code()]
		e = &known
		if e.Kind == nil {
			e.Kind, e.Hint = backend.ErrUnavailable, hintFailing
		}
		if extended == sqlite3.IOERR_DATA { // a page's checksum
			e.Kind, e.Hint = backend.ErrCorrupt, hintDamaged
		}
		cause = fmt.Errorf("%s (code %d)", extended.Error(), uint16(extended))
	}
	if cause == nil {
		return system(e, err)
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return system(e, fmt.Errorf("%w: %w", cause, errno))
	}
	e.Err = cause
	return e
}

// system takes the operating system's word for what went wrong.
func system(e *backend.Error, cause error) error {
	e.Err = cause
	switch {
	case errors.Is(cause, syscall.ENOSPC) || errors.Is(cause, syscall.EDQUOT):
		e.Kind, e.Hint = backend.ErrUnavailable, hintSpace
	case errors.Is(cause, syscall.EROFS):
		e.Kind, e.Hint = backend.ErrDenied, "choose a location on a file system that can be written"
	case errors.Is(cause, fs.ErrPermission):
		e.Kind, e.Hint = backend.ErrDenied, hintDenied
	case errors.Is(cause, syscall.EMFILE):
		e.Kind, e.Hint = backend.ErrUnavailable, "raise the limit of open files (ulimit -n)"
	}
	return e
}

// ended tells whether a call was broken off.
func ended(err error) bool {
	return errors.Is(err, sqlite3.INTERRUPT) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sqlite3.BUSY)
}

// panicked is an error of a panic; what it says may hold anything.
func panicked(r any) error {
	return &backend.Error{
		Kind: backend.ErrUnavailable, Err: fmt.Errorf("SQLite stopped by a %T", r),
		Hint: "try again; if it stays, see whether memory or address space is limited (ulimit -v), and check the database",
	}
}
