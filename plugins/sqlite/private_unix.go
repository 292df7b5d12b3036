//go:build unix

package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/msalext/msalext/extensions/backend"
)

// private refuses a file that isn't the user's alone, as package atomicfile
// does with a file that it opens itself.
func private(fi fs.FileInfo) error {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if ok && fi.Mode().IsRegular() && fi.Mode()&0o022 == 0 && int(st.Uid) == os.Geteuid() && uint64(st.Nlink) <= 1 {
		return nil
	}
	return &backend.Error{
		Kind: backend.ErrDenied, Err: &os.PathError{Op: "open", Path: fi.Name(), Err: errors.New("somebody else put it there")},
		Hint: "see who can write the directory, and let nobody but you",
	}
}
