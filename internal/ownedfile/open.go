// Package ownedfile opens the files that hold, guard or announce tokens, and
// no file that somebody else could have put in their place.
//
// A file passes when it is regular, has one name and belongs to the effective
// user. Symbolic links as the last part of a path are refused and never
// followed, so nobody who can write the directory can turn a write of ours
// against another file. Opening never blocks, also not on a FIFO.
//
// Root doesn't touch files in a directory of another user: what root creates
// there (a program run once under sudo) locks that user out of their own cache.
//
// On Windows the file's owner is checked; files and directories that this
// package creates carry an access list with the user alone.
//
// All failures are [*backend.Error].
package ownedfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

// File is an open file that passed the checks. Close it.
type File struct {
	*os.File
	// Tightened tells that others could read the file until this call took
	// that right away; what it held may be known to them.
	Tightened bool
}

// Open opens a file whose content must stay private. flag is as for
// os.OpenFile, without O_APPEND; what it creates has mode 0600.
//
// A file that others can write is ErrDenied; one that others can only read
// loses that right, and File.Tightened is set. ErrInvalid: a directory, or no
// path. ErrNotFound: no such file. ErrUnavailable: the directory to create it
// in is missing, or the system is out of resources.
func Open(path string, flag int) (*File, error) { return open(path, flag, false) }

// OpenAnyMode is Open for files whose content is no secret, such as lock
// files: permissions are left alone, because peers create them by their umask.
func OpenAnyMode(path string, flag int) (*File, error) { return open(path, flag, true) }

func open(path string, flag int, anyMode bool) (*File, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if err := rootMayUse(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err := openNoFollow(path, flag&^os.O_TRUNC)
	if err != nil {
		return nil, openError(path, flag, err)
	}
	tightened, err := vet(f, anyMode)
	if err == nil && flag&os.O_TRUNC != 0 { // only now is it known to be ours
		err = Wrap("truncate", f.Truncate(0))
	}
	if err != nil {
		_ = f.Close()
		if flag&os.O_EXCL != 0 { // it is new, and nobody will use it
			_ = os.Remove(path)
		}
		return nil, err
	}
	return &File{File: f, Tightened: tightened}, nil
}

// checkPath refuses what would name the working directory by accident.
func checkPath(path string) error {
	switch {
	case path == "":
		return &backend.Error{
			Op: "open", Kind: backend.ErrInvalid, Err: errors.New("the location is empty"),
			Hint: "give a file's path; where it is derived from the home directory, set HOME (on Windows LOCALAPPDATA)",
		}
	case strings.ContainsRune(path, 0):
		return &backend.Error{Op: "open", Kind: backend.ErrInvalid, Err: errors.New("the location contains a NUL byte")}
	}
	return nil
}

// openError tells a missing file from a missing directory, and says what a
// refusal is about.
func openError(path string, flag int, err error) error {
	if errors.Is(err, os.ErrNotExist) && flag&os.O_CREATE != 0 {
		dir := filepath.Dir(path)
		if fi, err := os.Stat(dir); err == nil && !fi.IsDir() { // Windows doesn't tell
			return notDirectory(dir)
		}
		return &backend.Error{Op: "open", Kind: backend.ErrUnavailable, Err: err, Hint: "create the directory " + dir}
	}
	if errors.Is(err, os.ErrExist) {
		return &backend.Error{Op: "open", Kind: backend.ErrConflict, Err: err}
	}
	if denied := refusal(path, err); denied != nil {
		return denied
	}
	return Wrap("open", err)
}

func directoryError(path string) error {
	return &backend.Error{
		Op: "open", Kind: backend.ErrInvalid,
		Err:  &os.PathError{Op: "open", Path: path, Err: errors.New("the location is a directory")},
		Hint: "name a file in it",
	}
}

// refuse is the refusal of a file or directory for what it is.
func refuse(path, reason, hint string) error {
	return &backend.Error{
		Op: "open", Kind: backend.ErrDenied,
		Err:  &os.PathError{Op: "open", Path: path, Err: errors.New(reason)},
		Hint: hint,
	}
}

// Check applies the checks of [OpenAnyMode] to a file that was opened in
// another way.
func Check(f *os.File) error {
	_, err := vet(f, true)
	return err
}
