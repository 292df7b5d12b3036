package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// moveAside moves a damaged item to a place of its own, under the item's lock.
func (s *shared) moveAside(ctx context.Context, key string, d damaged) (movedTo string, err error) {
	ended := s.own.begin(key)
	if s.info.Stamp == backend.StampData {
		movedTo, err = renameAside(ctx, s.path(key), d.stamp)
		err = s.fail("quarantine", err)
	} else {
		movedTo, err = s.saveAside(ctx, key, d.blob)
		s.signal(key)
	}
	known := err
	if d.blob.Data == nil {
		known = d.why // its version isn't known, so a watch can't take the move for ours
	}
	ended(d.blob.Version, backend.None, known)
	return movedTo, err
}

// restore stores what of a damaged item can be read.
func (s *shared) restore(ctx context.Context, key string, whole []byte) error {
	ended := s.own.begin(key)
	version, err := s.save(ctx, key, whole, backend.None)
	ended(backend.None, version, err)
	s.signal(key)
	return err
}

// asides are the names to try for what is moved aside now.
func asides(name string) []string {
	name += ".corrupt-" + time.Now().UTC().Format("20060102T150405Z")
	names := []string{name}
	for i := range 99 {
		names = append(names, fmt.Sprintf("%s-%d", name, i+1))
	}
	return names
}

var errNoName = errors.New("every name to move it to is taken")

// renameAside renames a file, if it still is what was seen, to a new name that
// it claims first: a rename by itself would replace what is there.
func renameAside(ctx context.Context, path string, seen ownedfile.Stamp) (string, error) {
	f, err := ownedfile.Open(path, os.O_RDONLY) // checks whose it is, and makes it private
	if err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", ownedfile.Wrap("quarantine", err)
	}
	dir, err := ownedfile.LockDir(ctx, filepath.Dir(path))
	if err != nil {
		return "", err
	}
	defer dir.Close()
	now, err := ownedfile.Stat(path)
	if err != nil {
		return "", err
	}
	if now != seen {
		return "", &backend.Error{Op: "quarantine", Kind: backend.ErrConflict, Err: errors.New(path)}
	}
	to, err := renameToFree(path)
	if err != nil {
		return "", err
	}
	dir.Unlock()
	return to, dir.Sync()
}

func renameToFree(path string) (string, error) {
	for _, name := range asides(path) {
		err := renameExclusively(path, name)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return name, ownedfile.Wrap("quarantine", err)
		}
	}
	return "", errNoName
}

// renameByClaim renames over a file that it made itself, since a plain rename
// replaces whatever there is. Whoever is killed in between leaves an empty
// file.
func renameByClaim(from, to string) error {
	f, err := ownedfile.Open(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	if err = errors.Join(f.Close(), os.Rename(from, to)); err != nil {
		_ = os.Remove(to)
	}
	return err
}

// saveAside saves what an item holds under another key before it deletes the
// item.
func (s *shared) saveAside(ctx context.Context, key string, blob backend.Blob) (string, error) {
	for _, name := range asides(key) {
		_, err := s.saveOnce(ctx, name, blob.Data, backend.None)
		if errors.Is(err, backend.ErrConflict) {
			continue
		}
		if err != nil {
			return "", err
		}
		copied, err := s.load(ctx, name, backend.None)
		if err == nil && !bytes.Equal(copied.Data, blob.Data) {
			err = s.fail("quarantine", errors.New("the copy differs"))
		}
		if err == nil {
			_, err = bounded(ctx, s, "quarantine", func(ctx context.Context) (struct{}, error) {
				return struct{}{}, s.store.Delete(ctx, key, blob.Version)
			})
		}
		return name, err
	}
	return "", s.fail("quarantine", errNoName)
}
