//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package ownedfile

import (
	"errors"
	"io/fs"
	"os"

	"github.com/msalext/msalext/extensions/backend"
)

var errnoKinds []errnoKind

// rootMayUse refuses everything: without file owners there is nothing to
// check, and an unchecked file must not hold tokens.
func rootMayUse(string) error {
	return &backend.Error{
		Op: "open", Kind: backend.ErrUnsupported,
		Err:  errors.New("this system has no file owners that could be checked"),
		Hint: "use a store that keeps no files",
	}
}

func openNoFollow(string, int) (*os.File, error) { return nil, errors.ErrUnsupported }
func vet(*os.File, bool) (bool, error)           { return false, errors.ErrUnsupported }
func refusal(string, error) error                { return nil }
func mkdir(string) error                         { return errors.ErrUnsupported }
func vetDir(string, fs.FileInfo) error           { return errors.ErrUnsupported }
func openDir(string) (*os.File, error)           { return nil, errors.ErrUnsupported }
func lstat(string) (Stamp, error)                { return Stamp{}, errors.ErrUnsupported }
func fstat(*os.File) (Stamp, error)              { return Stamp{}, errors.ErrUnsupported }
func claim(*os.File) bool                        { return true }
func abandoned(*os.File) (bool, bool)            { return false, false }
func (d *Dir) busy() bool                        { return false }

// Unlock does nothing on this system.
func (d *Dir) Unlock() {}

// Sync does nothing on this system.
func (d *Dir) Sync() error { return nil }
