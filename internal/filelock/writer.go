package filelock

import (
	"bytes"
	"errors"
	"os"
	"strconv"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// writerAt is where in the queue's file the last writer is noted: behind the
// first byte, which on Windows is what queueing processes have locked.
const writerAt = 1

// NoteWriter notes, in the file of the queue, that this process left the file at
// path as it is now; stamp is that file's. The caller has the lock. The note is
// for people, so what prevents it is no error.
func NoteWriter(path string, stamp ownedfile.Stamp) {
	f, err := ownedfile.OpenAnyMode(path+queueSuffix, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		return
	}
	// Not truncated, which takes ext4 a millisecond: the line's end is the note's.
	_, _ = f.WriteAt([]byte(mark(stamp)+string(self(thisProgram()).format())+"\n"), writerAt)
	_ = f.Close()
}

// Writer tells people which process of ours wrote the file at path last, and "" when
// that isn't known: stamp is what the file has now, and a library that leaves no
// note has written it since. It takes no lock.
//
// ErrDenied: the queue's file isn't safe to open.
func Writer(path string, stamp ownedfile.Stamp) (string, error) {
	f, err := ownedfile.OpenAnyMode(path+queueSuffix, os.O_RDONLY)
	if errors.Is(err, backend.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", ownedfile.Wrap("look at the last writer", err)
	}
	defer f.Close()
	said := make([]byte, maxContent)
	n, _ := f.ReadAt(said, writerAt) // unreadable is as good as empty
	line, _, whole := bytes.Cut(said[:max(n, 0)], []byte("\n"))
	who, current := bytes.CutPrefix(line, []byte(mark(stamp)))
	if !whole || !current {
		return "", nil
	}
	return parse(who).String(), nil
}

// mark tells the states of one file apart for as long as a note is of use.
func mark(s ownedfile.Stamp) string {
	return strconv.FormatInt(s.Mtime, 10) + " " + strconv.FormatInt(s.Size, 10) + " "
}
