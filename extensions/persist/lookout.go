package persist

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// lookout is where a watch listens for changes of one file: in the file's
// directory or, while that doesn't exist, in the nearest one above that does.
type lookout struct {
	path string
	on   *notices
	wake func() // must not block

	dir  string // listened to, without symbolic links; empty: none
	name string // what in dir leads to the file
}

var (
	errRemote   = errors.New("the file system may be changed by other machines, and doesn't tell of that")
	errCrowded  = errors.New("the directory has so many files that this system can't tell of each")
	errDeaf     = errors.New("this system's change notices can't be relied on")
	errUnstable = errors.New("the directory keeps being replaced")
)

// renew listens in the right place, which changes as directories come and go.
// An error says why nothing can be heard; then nothing is listened to.
func (l *lookout) renew() error {
	for range 100 {
		dir, name, err := nearest(l.path)
		if err == nil && dir == l.dir && name == l.name && l.on.hears(l) {
			return nil
		}
		if err == nil {
			err = audible(dir)
		}
		l.leave()
		if err != nil {
			return err
		}
		l.dir, l.name = dir, name
		if err := l.on.listen(l); err != nil && !gone(err) {
			l.leave()
			return err
		}
		// Once more: the next directory may have come right before this one was
		// listened to.
	}
	l.leave()
	return errUnstable
}

// leave stops listening.
func (l *lookout) leave() {
	if l.dir != "" {
		l.on.leave(l)
		l.dir, l.name = "", ""
	}
}

// nearest is the deepest directory above path that exists, and the name in it
// that leads to path.
func nearest(path string) (dir, name string, err error) {
	for {
		up := filepath.Dir(path)
		if up == path {
			return "", "", ownedfile.Wrap("watch", &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist})
		}
		dir, err := filepath.EvalSymlinks(up)
		var fi fs.FileInfo
		if err == nil {
			fi, err = os.Stat(dir)
		}
		switch {
		case err == nil && fi.IsDir():
			return dir, filepath.Base(path), nil
		case err != nil && !gone(err) && backend.KindOf(ownedfile.Wrap("", err)) != backend.ErrInvalid:
			return "", "", ownedfile.Wrap("watch", err)
		}
		path = up
	}
}

// gone tells that a file or directory isn't there.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, backend.ErrNotFound)
}

// audible tells why nothing can be heard of a directory; nil: it can.
func audible(dir string) error {
	if noNotices {
		return errDeaf
	}
	if remote(dir) {
		return errRemote
	}
	if crowdLimit == 0 {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if names, _ := f.Readdirnames(crowdLimit + 1); len(names) > crowdLimit {
		return errCrowded
	}
	return nil
}
