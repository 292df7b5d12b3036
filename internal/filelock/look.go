package filelock

import (
	"errors"
	"os"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// Look tells, for people, who holds the lock of the file at path by what the lock
// file says, and "" when there is none. It takes no lock and judges nobody: a
// file may have been left by a process that is gone.
//
// ErrDenied: the lock file isn't safe to open.
func Look(path string) (string, error) {
	f, err := ownedfile.OpenAnyMode(path+lockSuffix, os.O_RDONLY)
	if errors.Is(err, backend.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", ownedfile.Wrap("look at the lock", err)
	}
	defer f.Close()
	return parse(content(f.File)).String(), nil
}
