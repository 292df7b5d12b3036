package atomicfile

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// Write replaces the file's content when its version is base (None: no file,
// or an empty one), and returns the new version. The directory must exist; see
// [Prepare].
//
// ErrConflict: the version is another; nothing changed. ErrInvalid: data is
// empty. ErrTooLarge: it has more than 1 GiB. ErrUnavailable: the disk is full,
// or the directory is missing; what was stored is unchanged. ErrDenied: the
// place can't be written or isn't safe. No temporary file is left behind. An
// error to sync the directory or to set the time comes after the new content
// is in place: load again before repeating the change.
func Write(ctx context.Context, path string, data []byte, base backend.Version) (backend.Version, error) {
	return writeFile(ctx, path, data, base, func(*ownedfile.Dir) error { return nil })
}

// writeFile is Write, and calls before with the directory locked, right before the
// new content is put in place.
func writeFile(ctx context.Context, path string, data []byte, base backend.Version, before func(*ownedfile.Dir) error) (backend.Version, error) {
	if len(data) == 0 {
		return backend.None, &backend.Error{
			Op: "write", Kind: backend.ErrInvalid, Err: errors.New("there is nothing to write"),
			Hint: "an empty file means that nothing is stored; remove it instead",
		}
	}
	if len(data) > maxSize {
		return backend.None, tooLarge(path, int64(len(data)))
	}
	if err := ctx.Err(); err != nil {
		return backend.None, backend.Wrap("write", "", nil, err)
	}
	dropStaleTemps(filepath.Dir(path))
	temp, err := writeTemp(path, data)
	if err != nil {
		return backend.None, err
	}
	if err := publish(ctx, temp, path, base, before); err != nil {
		return backend.None, err
	}
	v, k := takeKnown(path).learn(data)
	k.keep()
	return v, nil
}

// writeTemp puts data on the disk, beside path.
func writeTemp(path string, data []byte) (*os.File, error) {
	f, err := ownedfile.CreateTemp(path)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	if err == nil {
		// A rename can reach the disk before the data it names:
		// https://lwn.net/Articles/322823/
		err = f.Sync()
	}
	if err != nil {
		discard(f)
		return nil, ownedfile.Wrap("write", err)
	}
	return f, nil
}

func discard(temp *os.File) {
	_ = temp.Close() // first, for Windows
	_ = os.Remove(temp.Name())
}

// publish renames temp to path, if path is still at base.
func publish(ctx context.Context, temp *os.File, path string, base backend.Version, before func(*ownedfile.Dir) error) error {
	published := false
	defer func() {
		if !published {
			discard(temp)
		}
	}()
	dir, err := ownedfile.LockDir(ctx, filepath.Dir(path))
	if err != nil {
		return vanished(err)
	}
	defer dir.Close()
	old, err := expect(ctx, "write", path, base)
	if err != nil {
		return err
	}
	if err := before(dir); err != nil {
		return vanished(err)
	}
	if err := ownedfile.Publish(ctx, temp, path); err != nil {
		return vanished(err)
	}
	published = true
	// The time is set while other writers are kept out, since theirs must come
	// after it, and even if the directory can't be synced then: readers see
	// the new content already.
	err = touch(path, old.stamp)
	dir.Unlock()
	return cmp.Or(dir.Sync(), err)
}

// vanished is for a directory or temporary file that somebody removed
// meanwhile. ErrNotFound would tell that nothing is stored.
func vanished(err error) error {
	if e := (*backend.Error)(nil); errors.As(err, &e) && e.Kind == backend.ErrNotFound {
		return &backend.Error{
			Op: "write", Kind: backend.ErrUnavailable, Err: e.Err,
			Hint: "somebody removes files from the directory; try again",
		}
	}
	return err
}

// ahead is by how much the time of a file is later than the moment in which it
// was written. MSAL Extensions for Python note the time after they have read the
// file, without the lock, and compare the file's with that: a write that came
// while they read would look older, and their next write take it away. Whoever
// compares times for being another doesn't care, and nothing that looks for
// files of the future minds a tenth of a second.
const ahead = 100 * time.Millisecond

// touch sets the modification time to ahead of now, and after the old file's
// time in any case. The time of the temporary file won't do: whoever read the
// old content after that file was written would never look again.
func touch(path string, old ownedfile.Stamp) error {
	least := old.Modified()
	for _, step := range []time.Duration{time.Millisecond, 2 * time.Second} { // the coarsest file systems keep even seconds
		at := time.Now().Add(ahead)
		if at.Before(least.Add(step)) {
			at = least.Add(step)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			return timeError(err)
		}
		if now, err := ownedfile.Stat(path); err != nil || now.Modified().After(least) {
			return timeError(err)
		}
	}
	return nil
}

// timeError forgives a file that was replaced or removed meanwhile.
func timeError(err error) error {
	if err == nil || errors.Is(err, os.ErrNotExist) || errors.Is(err, backend.ErrNotFound) {
		return nil
	}
	return ownedfile.Wrap("set time", err)
}

// Temporary files of dead writers are looked for at the first write, and then
// once an hour per directory, since a directory may hold the caches of
// thousands of users. Where it does not show that their writer died, they must
// be as old.
const tempLife = time.Hour

var tempsDropped = struct {
	sync.Mutex
	at map[string]time.Time
}{at: map[string]time.Time{}}

func dropStaleTemps(dir string) {
	tempsDropped.Lock()
	due := time.Since(tempsDropped.at[dir]) > tempLife
	if due {
		tempsDropped.at[dir] = time.Now()
	}
	tempsDropped.Unlock()
	if due {
		ownedfile.RemoveStaleTemps(dir, tempLife)
		dropOrphanNames(dir)
	}
}
