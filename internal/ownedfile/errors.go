package ownedfile

import (
	"errors"
	"io/fs"

	"github.com/msalext/msalext/extensions/backend"
)

// errnoKind says what a system error means to the user of a store.
type errnoKind struct {
	errno error
	kind  error
	hint  string
}

const (
	hintSpace    = "free some disk space; what was stored before is unchanged"
	hintFailing  = "the disk, or the connection to it, fails: look into the system's log, and try again"
	hintReadOnly = "choose a location on a file system that can be written"
	hintPath     = "correct the location"
	hintDenied   = "check who owns the file and its directory, and their permissions"
)

// Wrap makes a [*backend.Error] of an error of the operating system. The cause
// stays in the chain: errors.Is(err, syscall.ENOSPC) holds. nil stays nil, and
// an error that has a kind keeps it.
//
// A full disk is ErrUnavailable (the store can't take data now, and says
// nothing of what it holds); a file system that is read-only is ErrDenied;
// what the system refuses for the path's form is ErrInvalid; unknown errors
// are ErrUnavailable.
func Wrap(op string, err error) error {
	if err == nil || backend.KindOf(err) != nil {
		return backend.Wrap(op, "", backend.ErrUnavailable, err)
	}
	for _, k := range errnoKinds {
		if errors.Is(err, k.errno) {
			return &backend.Error{Op: op, Kind: k.kind, Hint: k.hint, Err: err}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &backend.Error{Op: op, Kind: backend.ErrNotFound, Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &backend.Error{Op: op, Kind: backend.ErrDenied, Hint: hintDenied, Err: err}
	}
	return backend.Wrap(op, "", backend.ErrUnavailable, err)
}
