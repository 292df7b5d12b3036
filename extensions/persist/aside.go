package persist

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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

// replaceByWhole keeps a copy of a damaged item and stores what of it can be read
// in its place. That is one step, so that nobody finds the item gone.
func (s *shared) replaceByWhole(ctx context.Context, key string, d damaged) (copied string, err error) {
	copied, drop, err := s.copyAside(ctx, key, d)
	if err != nil {
		return "", err
	}
	ended := s.own.begin(key)
	version, err := s.save(ctx, key, d.whole, d.blob.Version)
	ended(d.blob.Version, version, err)
	if !errors.Is(err, backend.ErrConflict) {
		s.signal(key)
	}
	if err == nil || errors.Is(err, backend.ErrTimeout) { // which may come true later
		s.sign(key)
		return copied, err
	}
	if now, lerr := s.load(ctx, key, backend.None); lerr == nil && now.Version == d.blob.Version {
		drop() // else each further try leaves another
	}
	return "", err
}

// copyAside leaves the item where it is.
func (s *shared) copyAside(ctx context.Context, key string, d damaged) (to string, drop func(), err error) {
	if s.info.Stamp == backend.StampData {
		to, err = copyFile(s.path(key), d.stamp)
		return to, func() { _ = os.Remove(to) }, s.fail("quarantine", err)
	}
	to, version, err := s.saveCopy(ctx, key, d.blob)
	return to, func() { _ = s.discard(ctx, to, version) }, err
}

// What is moved aside is called as it was, with this, the time and, where that is
// taken, a number behind it.
const (
	asideMark = ".corrupt-"
	asideTime = "20060102T150405Z"
)

// asides are the names to try for what is moved aside now.
func asides(name string) []string {
	name += asideMark + time.Now().UTC().Format(asideTime)
	names := []string{name}
	for i := range 99 {
		names = append(names, fmt.Sprintf("%s-%d", name, i+1))
	}
	return names
}

var errNoName = errors.New("every name to move it to is taken")

func changedMeanwhile(path string) error {
	return &backend.Error{Op: "quarantine", Kind: backend.ErrConflict, Err: errors.New(path)}
}

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
		return "", changedMeanwhile(path)
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

// copyFile copies a file as it lies there, encrypted where it is, to a new name, if
// it still is what was seen.
func copyFile(path string, seen ownedfile.Stamp) (string, error) {
	from, err := ownedfile.Open(path, os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer from.Close()
	if now, err := ownedfile.StatOpen(from.File); err != nil || now != seen {
		return "", cmp.Or(err, changedMeanwhile(path))
	}
	for _, name := range asides(path) {
		to, err := ownedfile.Open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = io.Copy(to, from)
		if err = cmp.Or(err, to.Sync(), to.Close()); err != nil {
			_ = to.Close() // first, for Windows
			_ = os.Remove(name)
		}
		return name, ownedfile.Wrap("quarantine", err)
	}
	return "", errNoName
}

// saveAside saves what an item holds under another key before it deletes the
// item.
func (s *shared) saveAside(ctx context.Context, key string, blob backend.Blob) (string, error) {
	if e, ok := s.store.(setter); ok && blob.Data == nil {
		return s.setAside(ctx, e, key)
	}
	name, _, err := s.saveCopy(ctx, key, blob)
	if err == nil {
		_, err = bounded(ctx, s, "quarantine", func(ctx context.Context) (struct{}, error) {
			return struct{}{}, s.store.Delete(ctx, key, blob.Version)
		})
	}
	return name, err
}

// saveCopy saves what an item holds under another key, and reads it back.
func (s *shared) saveCopy(ctx context.Context, key string, blob backend.Blob) (string, backend.Version, error) {
	for _, name := range asides(key) {
		version, err := s.saveOnce(ctx, name, blob.Data, backend.None)
		if errors.Is(err, backend.ErrConflict) || unreadable(err) && s.taken(ctx, name) {
			continue
		}
		if err != nil {
			return "", backend.None, err
		}
		copied, err := s.load(ctx, name, backend.None)
		if err == nil && !bytes.Equal(copied.Data, blob.Data) {
			err = s.fail("quarantine", errors.New("the copy differs"))
		}
		return name, version, err
	}
	return "", backend.None, s.fail("quarantine", errNoName)
}

// taken tells whether something is stored under a key, readable or not.
func (s *shared) taken(ctx context.Context, key string) bool {
	_, err := s.load(ctx, key, backend.None)
	return !errors.Is(err, backend.ErrNotFound)
}
