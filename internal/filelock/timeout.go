package filelock

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// timeoutError names who held the lock until the end of the wait. cause is
// ctx's own error, nil when the default time ended.
func timeoutError(path string, waited time.Duration, cause error) error {
	err := fmt.Errorf("waited %s for %s, held by %s", waited.Round(time.Millisecond), path, whoHolds(path))
	if cause != nil {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return &backend.Error{
		Op: "lock", Kind: backend.ErrLockTimeout, Err: err,
		Hint: "end that program, or try again when it is done; if it is gone, remove " + path,
	}
}

// awaited is the lock file that a wait in vain was for: Java's where ours is
// held by this process, or by nobody.
func awaited(path string, o Options) string {
	main, java := path+lockSuffix, javaPath(path)
	if !o.Java {
		return main
	}
	_, err := os.Lstat(java)
	if h, merr := holderOf(main); err == nil && (merr != nil || h.pid == os.Getpid()) {
		return java
	}
	return main
}

func whoHolds(path string) string {
	h, err := holderOf(path)
	switch {
	case errors.Is(err, backend.ErrNotFound):
		return "nobody any more: others were first in the queue"
	case err != nil:
		return "a process whose lock file can't be read"
	}
	return h.String()
}

func holderOf(path string) (holder, error) {
	f, err := ownedfile.OpenAnyMode(path, os.O_RDONLY)
	if err != nil {
		return holder{}, err
	}
	defer f.Close()
	return parse(content(f.File)), nil
}
