package persist

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/internal/ownedfile"
)

// Restore puts a copy of the item back that Quarantine moved aside, under the
// item's lock: name is its Quarantined.Name. It is put back as it is, also where it
// still can't be read. What is stored now takes its place in quarantine, and
// keptAs is its name there, empty where nothing is stored.
//
// ErrInvalid: name isn't that of a copy of this item. ErrNotFound: there is no such
// copy. What is stored now and can't be read stays where it is, with the store's
// own error, where the store doesn't give it out: use Persistence.Quarantine first.
func (p *Persistence) Restore(ctx context.Context, name string) (keptAs string, err error) {
	s, err := p.join(ctx)
	if err != nil {
		return "", err
	}
	of, restore := p.key, s.restoreItem
	if s.info.Stamp == backend.StampData {
		of, restore = s.path(p.key), s.restoreFile
	}
	if item, _, ok := divide(name); !ok || item != of {
		return "", &backend.Error{Op: "restore", Backend: s.name, Kind: backend.ErrInvalid, Err: errors.New("there is no copy of this item by that name"),
			Hint: "use a name that Quarantined lists, and Persistence.Key for the item that it is of"}
	}
	err = s.exclusively(ctx, "restore", p.key, func(ctx context.Context, publish func() error) error {
		if err := publish(); err != nil {
			return err
		}
		ended := s.own.begin(p.key)
		keptAs, err = restore(ctx, p.key, name)
		ended(backend.None, backend.None, errRestored)
		s.signal(p.key)
		s.sign(p.key)
		return err
	})
	return keptAs, err
}

// errRestored: the versions aren't known, so a watch can't take the change for its
// own store's.
var errRestored = errors.New("restored")

// restoreFile renames the copy over the item, after the item was copied: so the
// item is never missing, and a crash leaves one copy more.
func (s *shared) restoreFile(ctx context.Context, key, name string) (keptAs string, err error) {
	path := s.path(key)
	f, err := ownedfile.Open(name, os.O_RDONLY) // checks whose it is, and makes it private
	if err != nil {
		return "", s.fail("restore", err)
	}
	if err := f.Close(); err != nil {
		return "", s.fail("restore", err)
	}
	before, err := ownedfile.Stat(path)
	if err != nil && !gone(err) {
		return "", s.fail("restore", err)
	}
	drop := func() {}
	if err == nil && before.Size > 0 { // peers leave empty files, which are nothing
		if keptAs, drop, err = s.copyAside(ctx, key, damaged{stamp: before}); err != nil {
			return "", err
		}
	}
	if err := renameOver(ctx, name, path, before); err != nil {
		drop()
		return "", s.fail("restore", err)
	}
	return keptAs, s.fail("restore", atomicfile.Touch(path)) // later than before, for peers
}

// renameOver renames a file, if what it replaces still is what was seen: zero for
// nothing.
func renameOver(ctx context.Context, from, to string, seen ownedfile.Stamp) error {
	dir, err := ownedfile.LockDir(ctx, filepath.Dir(to))
	if err != nil {
		return err
	}
	defer dir.Close()
	now, err := ownedfile.Stat(to)
	if err != nil && !gone(err) {
		return err
	}
	if now != seen {
		return changedMeanwhile(to)
	}
	if err := os.Rename(from, to); err != nil {
		return ownedfile.Wrap("restore", err)
	}
	dir.Unlock()
	return dir.Sync()
}

// restoreItem saves what the copy holds as the item, and deletes the copy.
func (s *shared) restoreItem(ctx context.Context, key, name string) (keptAs string, err error) {
	copied, err := s.load(ctx, name, backend.None)
	e, sealed := s.store.(setter)
	if sealed = sealed && unreadable(err); err != nil && !sealed {
		return "", err
	}
	now, keptAs, drop, err := s.keepNow(ctx, key)
	if err != nil {
		return "", err
	}
	if sealed {
		return keptAs, s.moveBack(ctx, e, name, key, now)
	}
	switch _, err = s.save(ctx, key, copied.Data, now); {
	case err == nil:
		return keptAs, s.discard(ctx, name, copied.Version)
	case unanswered(err): // it may come true later
		return keptAs, err
	}
	drop()
	return "", err
}

// moveBack moves what an envelope can't read, as it is stored, to a key that is
// made free for it.
func (s *shared) moveBack(ctx context.Context, e setter, name, key string, now backend.Version) error {
	_, err := bounded(ctx, s, "restore", func(ctx context.Context) (struct{}, error) {
		if now != backend.None {
			if err := s.store.Delete(ctx, key, now); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, e.SetAside(ctx, name, key)
	})
	return err
}

// keepNow leaves a copy of what is stored now, and tells its version. What an
// envelope can't read is moved. drop takes the copy away again.
func (s *shared) keepNow(ctx context.Context, key string) (now backend.Version, keptAs string, drop func(), err error) {
	blob, err := s.load(ctx, key, backend.None)
	drop = func() {}
	e, moves := s.store.(setter)
	switch {
	case errors.Is(err, backend.ErrNotFound):
		return backend.None, "", drop, nil
	case unreadable(err) && moves:
		keptAs, err = s.setAside(ctx, e, key)
		return backend.None, keptAs, drop, err
	case err != nil:
		return backend.None, "", drop, err
	}
	keptAs, drop, err = s.copyAside(ctx, key, damaged{blob: blob})
	return blob.Version, keptAs, drop, err
}

func unreadable(err error) bool {
	return errors.Is(err, backend.ErrDecrypt) || errors.Is(err, backend.ErrCorrupt)
}
