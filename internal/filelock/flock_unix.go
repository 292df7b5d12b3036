//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filelock

import (
	"cmp"
	"errors"
	"log/slog"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// meansNoFlock is what flock answers on NFS, 9p and FUSE mounts without it.
var meansNoFlock = []error{unix.ENOTSUP, unix.EOPNOTSUPP, unix.ENOLCK, unix.ENOSYS, unix.EINVAL}

// platform is what a taking remembers on Unix.
type platform struct {
	created ownedfile.Stamp // a file we created, but somebody else locked first
	cleared bool            // a dead holder's file was removed, where there is no flock
	warned  bool
}

// flock is called directly and not through gofrs/flock, which opens by path
// and follows symbolic links, while here the checked descriptor counts. how is
// unix.LOCK_EX, with unix.LOCK_NB not to wait.
func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		switch {
		case err == unix.EINTR:
			continue
		case err == nil:
			return nil
		case err == unix.EWOULDBLOCK:
			return errBusy
		case slices.Contains(meansNoFlock, err):
			return errNoFlock
		}
		return &os.PathError{Op: "flock", Path: f.Name(), Err: err}
	}
}

// enterQueue waits in the kernel until we are first, or not, and then is errBusy
// where somebody else is. Closing the file leaves.
func enterQueue(path string, wait bool) (*os.File, error) {
	f, err := ownedfile.OpenAnyMode(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	if err := flock(f.File, how); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f.File, nil
}

// try tries once, and waits in the kernel where somebody has flock. It returns
// nothing when another try may succeed.
func (t *taking) try() (*Lock, error) {
	f, err := ownedfile.OpenAnyMode(t.path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	switch {
	case err == nil:
		return t.lockNew(f.File)
	case !errors.Is(err, backend.ErrConflict):
		return nil, ownedfile.Wrap("lock", err)
	}
	f, err = ownedfile.OpenAnyMode(t.path, os.O_RDWR)
	switch {
	case err == nil:
		return t.lockExisting(f.File)
	case errors.Is(err, backend.ErrNotFound): // released since
		return nil, nil
	}
	return nil, ownedfile.Wrap("lock", err)
}

// lockNew locks a file that this process created.
func (t *taking) lockNew(f *os.File) (*Lock, error) {
	switch err := flock(f, unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, errNoFlock):
		t.warn()
		return t.held(f, t.cleared)
	case errors.Is(err, errBusy): // a flock peer came between; it may leave the file to us
		t.created, _ = ownedfile.StatOpen(f)
		return nil, f.Close()
	case err != nil:
		discard(t.path, f)
		return nil, ownedfile.Wrap("lock", err)
	}
	_, named, err := t.identify(f)
	switch {
	case err != nil:
		discard(t.path, f)
		return nil, err
	case !named:
		return nil, f.Close()
	}
	return t.held(f, false)
}

// lockExisting waits for whoever has flock, and takes the file when its holder
// is dead. It never unlinks a file that isn't ours.
func (t *taking) lockExisting(f *os.File) (*Lock, error) {
	err := flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if t.waited = errors.Is(err, errBusy) && !t.hurried; t.waited {
		err = flock(f, unix.LOCK_EX)
	}
	switch {
	case err == nil:
	case errors.Is(err, errBusy):
		return nil, f.Close()
	case errors.Is(err, errNoFlock):
		return t.existing(f)
	default:
		_ = f.Close()
		return nil, ownedfile.Wrap("lock", err)
	}
	id, named, err := t.identify(f)
	switch {
	case err != nil:
		_ = f.Close()
		return nil, err
	case !named:
		return nil, f.Close()
	case id.Size == 0 && id.SameFile(t.created):
		return t.held(f, false) // whoever came between left without a trace
	case t.stale(f, id, true):
		return t.held(f, true)
	case t.waited:
		t.seeOff(id)
	}
	return nil, f.Close()
}

// leaving is how long a peer that gave flock up may take to remove the file.
const leaving = 20 * time.Millisecond

// seeOff waits until a peer that had flock has removed its file. Meanwhile
// nobody else must lock it: a peer that did would not notice the removal, and
// would believe that it has the lock beside the next one. So the caller has
// flock.
func (t *taking) seeOff(id ownedfile.Stamp) {
	for end := time.Now().Add(leaving); t.named(id) && time.Now().Before(end); {
		time.Sleep(leaving / 200)
	}
}

// existing clears a file away whose existence alone is the lock, once it is
// stale; the next try then creates ours.
func (t *taking) existing(f *os.File) (*Lock, error) {
	defer f.Close()
	id, err := ownedfile.StatOpen(f)
	if err != nil || !t.stale(f, id, false) {
		return nil, nil
	}
	return nil, t.clearAway(id)
}

// identify tells which file is open, and whether the path still names it. An
// error isn't a lost race: trying again would hide a disk that fails behind a
// timeout that blames a holder.
func (t *taking) identify(f *os.File) (id ownedfile.Stamp, named bool, err error) {
	if id, err = ownedfile.StatOpen(f); err != nil {
		return id, false, ownedfile.Wrap("lock", err)
	}
	now, err := ownedfile.Stat(t.path)
	if errors.Is(err, backend.ErrNotFound) {
		return id, false, nil
	}
	return id, err == nil && now.SameFile(id), ownedfile.Wrap("lock", err)
}

// named tells whether the path still names the file.
func (t *taking) named(id ownedfile.Stamp) bool {
	now, err := ownedfile.Stat(t.path)
	return err == nil && now.SameFile(id)
}

// clearAway removes a dead holder's file where nothing can lock it: renaming
// tells which of several contenders got it, and shows whether it was the dead
// one's.
func (t *taking) clearAway(id ownedfile.Stamp) error {
	grave, err := ownedfile.CreateTemp(t.path)
	if err != nil {
		return err
	}
	_ = grave.Close()
	defer os.Remove(grave.Name())
	if !t.named(id) {
		return nil
	}
	if err := os.Rename(t.path, grave.Name()); err != nil {
		return nil // somebody else was faster
	}
	if now, err := ownedfile.Stat(grave.Name()); err == nil && !now.SameFile(id) {
		_ = os.Link(grave.Name(), t.path) // a live one came between: put it back
	} else {
		t.cleared = true
	}
	return nil
}

func (t *taking) warn() {
	if !t.warned {
		t.warned = true
		t.opts.Logger.Warn("msalext: the file system has no flock; the existence of the lock file alone keeps others out", slog.String("path", t.path))
	}
}

// free unlinks the file while its flock is held, so that nobody can lock it
// and then lose it. l.mu is held.
func (l *Lock) free() error {
	var err error
	switch {
	case !l.ours(): // taken away, moved, or on a disk that fails; it may come back
		err = l.file.Truncate(0)
	case l.unused && l.adopted:
		err = l.file.Truncate(0) // says that nobody holds it
	default:
		if err = os.Remove(l.path); err != nil {
			err = cmp.Or(l.file.Truncate(0), err)
		}
	}
	return cmp.Or(err, l.file.Close())
}

// discard gives up a file that was created and could not be used.
func discard(path string, f *os.File) {
	l := Lock{path: path, file: f}
	l.id, _ = ownedfile.StatOpen(f)
	_ = l.free()
}
