package atomicfile

import (
	"cmp"
	"os"

	"github.com/msalext/msalext/internal/ownedfile"
)

// Touch shows those who watch a file's time that something changed: it creates
// the file, empty, where there is none, leaves its content alone, and sets its
// modification time as Write does. Others may be able to write the file, as
// peers create it by their umask: it holds no secret, and a touch by somebody
// else does no more than make readers look again.
func Touch(path string) error {
	f, err := ownedfile.OpenAnyMode(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	old, err := ownedfile.StatOpen(f.File)
	if err := cmp.Or(err, ownedfile.Wrap("touch", f.Close())); err != nil {
		return err
	}
	return touch(path, old)
}
