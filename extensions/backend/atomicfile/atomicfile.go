// Package atomicfile keeps an item in a file the way a token cache needs it,
// for authors of backends that store files.
//
// # What it guarantees
//
//   - A reader sees the old content or the new, whole, also after a crash or a
//     power failure: a write goes to a temporary file in the same directory,
//     is synced, renamed over the old one, and the directory is synced.
//   - Content and version are read together, and the version is the hash of
//     the content: equal versions mean equal bytes, without any clock.
//   - A write names the version it replaces, which is compared once more after
//     the new content is on the disk, right before the rename.
//   - The modification time after a write is now, and later than before by a
//     millisecond at least, however quickly writes follow each other: MSAL
//     Extensions for Python and Node notice nothing else.
//   - A file is never empty. Peers leave empty files, which mean that nothing
//     is stored.
//   - No file is touched that others own or can write, nor a symbolic link,
//     hard link, FIFO or the like; new files have mode 0600, on Windows an
//     access list with the user alone.
//
// # What it doesn't
//
// Comparing and renaming are two steps. Writers that use this package keep
// each other out in between (a lock on the directory that leaves no file), but
// not where the file system has no locks, and nobody else takes part: between
// the two steps a foreign writer's change can be lost. The host's file lock,
// which peers respect, closes that window; a backend that the host opens needs
// no lock of its own.
//
// Readers that keep a file open on Windows hold up its replacement; it is
// tried again until ctx ends, and never written in place.
//
// Errors are [*backend.Error]; a backend adds its name with backend.Wrap. All
// functions are safe for concurrent use.
package atomicfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// Prepare makes a place fit for use, for a backend's Open: it creates the
// directory of path (0700) where it is missing, and checks the directory and
// the file if there is one. tightened tells that others could read the file
// until now: warn the user once.
//
// ErrInvalid: path is empty or a directory. ErrDenied: the place isn't safe.
func Prepare(path string) (tightened bool, err error) {
	if path != "" {
		dir := filepath.Dir(path)
		if err := ownedfile.MkdirAll(dir); err != nil {
			return false, err
		}
		if err := ownedfile.CheckDir(dir); err != nil {
			return false, err
		}
	}
	f, err := ownedfile.Open(path, os.O_RDONLY)
	if errors.Is(err, backend.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return f.Tightened, ownedfile.Wrap("open", f.Close())
}

// Read returns the content and its version. ErrNotFound: there is no file, or
// an empty one. ErrTooLarge: it has more than 1 GiB.
func Read(path string) (backend.Blob, error) {
	blob, _, err := Load(path, backend.None)
	return blob, err
}

// Load is Read for a store's Load: with have equal to the current version the
// answer is Unchanged and holds no data. tightened is as for [Prepare].
func Load(path string, have backend.Version) (blob backend.Blob, tightened bool, err error) {
	ownedfile.GiveWay(filepath.Dir(path))
	c, err := read(path, have)
	switch {
	case err != nil:
		return backend.Blob{}, c.tightened, err
	case c.version == backend.None:
		return backend.Blob{}, c.tightened, &backend.Error{Op: "read", Kind: backend.ErrNotFound, Err: errors.New(path)}
	case c.version == have:
		return backend.Blob{Version: have, Unchanged: true}, c.tightened, nil
	}
	return backend.Blob{Data: c.data, Version: c.version}, c.tightened, nil
}

// content is a file as it is now.
type content struct {
	data      []byte          // nil where the version is what the caller has
	version   backend.Version // None: no file, or an empty one
	stamp     ownedfile.Stamp // zero: no file
	tightened bool
}

// maxSize is far above any token cache: a location that names a disk image by
// mistake must not take all memory.
const maxSize = 1 << 30

func tooLarge(path string, size int64) error {
	return &backend.Error{
		Op: "open", Kind: backend.ErrTooLarge,
		Err:  fmt.Errorf("%s: %d bytes, and a token cache has at most %d", path, size, int64(maxSize)),
		Hint: "see whether the location names another file",
	}
}

// read takes a missing file for content without a version.
func read(path string, have backend.Version) (content, error) {
	f, err := ownedfile.Open(path, os.O_RDONLY)
	if errors.Is(err, backend.ErrNotFound) {
		return content{}, nil
	}
	if err != nil {
		return content{}, err
	}
	defer f.Close()
	c := content{tightened: f.Tightened}
	if c.stamp, err = ownedfile.StatOpen(f.File); err != nil {
		return c, err
	}
	if c.stamp.Size > maxSize {
		return c, tooLarge(path, c.stamp.Size)
	}
	k := takeKnown(path)
	defer func() { k.keep() }()
	if have != backend.None && k.version == have && k.heldBy(f.File) {
		c.version = have
		return c, nil
	}
	data := bytes.NewBuffer(make([]byte, 0, c.stamp.Size+bytes.MinRead))
	if _, err := data.ReadFrom(f); err != nil {
		return c, ownedfile.Wrap("read", err)
	}
	c.data = data.Bytes()
	c.version, k = k.learn(c.data)
	return c, nil
}

// Remove removes the file when its version is base, else ErrConflict. Removing
// what isn't stored with base None succeeds.
func Remove(ctx context.Context, path string, base backend.Version) error {
	return removeFile(ctx, path, base, func() {})
}

// removeFile is Remove, and calls after with the directory still locked.
func removeFile(ctx context.Context, path string, base backend.Version, after func()) error {
	dir, err := ownedfile.LockDir(ctx, filepath.Dir(path))
	if errors.Is(err, backend.ErrNotFound) && base == backend.None {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	if _, err := expect(ctx, "remove", path, base); err != nil || base == backend.None {
		return err
	}
	if err := ownedfile.Remove(ctx, path); err != nil {
		return err
	}
	takeKnown(path)
	after()
	dir.Unlock()
	return dir.Sync()
}

// expect checks that the file is at version base.
func expect(ctx context.Context, op, path string, base backend.Version) (content, error) {
	if err := ctx.Err(); err != nil {
		return content{}, backend.Wrap(op, "", nil, err)
	}
	c, err := read(path, base)
	if err == nil && c.version != base {
		err = &backend.Error{
			Op: op, Kind: backend.ErrConflict, Err: errors.New(path),
			Hint: "load it again and repeat the change",
		}
	}
	return c, err
}
