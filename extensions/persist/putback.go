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
		if err := s.checkLocation(); err != nil {
			return err
		}
		var wrote bool
		ended := s.own.begin(p.key)
		keptAs, wrote, err = restore(ctx, p.key, name, publish)
		ended(backend.None, backend.None, errRestored)
		if wrote {
			s.signal(p.key)
			s.sign(p.key)
		}
		return err
	})
	return keptAs, err
}

// errRestored: the versions aren't known, so a watch can't take the change for its
// own store's.
var errRestored = errors.New("restored")

// restoreFile renames the copy over the item, after the item was copied: so the
// item is never missing, and a crash leaves one copy more. wrote tells whether the
// item is another now.
func (s *shared) restoreFile(ctx context.Context, key, name string, publish func() error) (keptAs string, wrote bool, err error) {
	path := s.path(key)
	f, err := ownedfile.Open(name, os.O_RDONLY) // checks whose it is, and makes it private
	if err != nil {
		return "", false, s.fail("restore", err)
	}
	if err := f.Close(); err != nil {
		return "", false, s.fail("restore", err)
	}
	before, err := ownedfile.Stat(path)
	if err != nil && !gone(err) {
		return "", false, s.fail("restore", err)
	}
	if err := publish(); err != nil {
		return "", false, err
	}
	drop := func() {}
	if before.Size > 0 { // peers leave empty files, which are nothing
		if keptAs, drop, err = s.copyAside(ctx, key, damaged{stamp: before}); err != nil {
			return "", false, err
		}
	}
	switch wrote, err = renameOver(ctx, name, path, before); {
	case err == nil:
		err = atomicfile.Touch(path) // later than before, for peers
	case !wrote:
		drop()
		keptAs = ""
	}
	return keptAs, wrote, s.fail("restore", err)
}

// renameOver renames a file, if what it replaces still is what was seen: zero for
// nothing.
func renameOver(ctx context.Context, from, to string, seen ownedfile.Stamp) (renamed bool, err error) {
	dir, err := ownedfile.LockDir(ctx, filepath.Dir(to))
	if err != nil {
		return false, err
	}
	defer dir.Close()
	now, err := ownedfile.Stat(to)
	if err != nil && !gone(err) {
		return false, err
	}
	if now != seen {
		return false, changedMeanwhile(to)
	}
	if err := os.Rename(from, to); err != nil {
		return false, ownedfile.Wrap("restore", err)
	}
	dir.Unlock()
	return true, dir.Sync()
}

// restoreItem saves what the copy holds as the item, and deletes the copy. wrote
// tells whether the item may be another now.
func (s *shared) restoreItem(ctx context.Context, key, name string, publish func() error) (keptAs string, wrote bool, err error) {
	copied, err := s.load(ctx, name, backend.None)
	e, sealed := s.store.(setter)
	if sealed = sealed && unreadable(err); err != nil && !sealed {
		return "", false, err
	}
	now, err := s.load(ctx, key, backend.None)
	if err != nil && !errors.Is(err, backend.ErrNotFound) && !(unreadable(err) && s.moves()) {
		return "", false, err
	}
	if err := publish(); err != nil {
		return "", false, err
	}
	if err != nil { // without a version: what can't be read is moved before
		now = backend.Blob{}
	}
	keptAs, wrote, drop, err := s.keepNow(ctx, key, now, err)
	if err != nil {
		return "", wrote, err
	}
	if sealed {
		moved, err := s.moveBack(ctx, e, name, key, now.Version)
		return keptAs, wrote || moved, err
	}
	switch _, err = s.save(ctx, key, copied.Data, now.Version); {
	case err == nil:
		return keptAs, true, s.discard(ctx, name, copied.Version)
	case unanswered(err): // it may come true later
		return keptAs, true, err
	}
	if !wrote {
		drop()
		keptAs = ""
	}
	return keptAs, wrote, err
}

// moveBack moves what an envelope can't read, as it is stored, to a key that is
// made free for it. wrote tells whether the key may hold something else now.
func (s *shared) moveBack(ctx context.Context, e setter, name, key string, now backend.Version) (wrote bool, err error) {
	occupied := now != backend.None
	return bounded(ctx, s, "restore", func(ctx context.Context) (bool, error) {
		if occupied {
			if err := s.store.Delete(ctx, key, now); err != nil {
				return unanswered(err), err
			}
		}
		err := e.SetAside(ctx, name, key)
		return occupied || err == nil || unanswered(err), err
	})
}

// moves tells that the store moves what it can't read.
func (s *shared) moves() bool {
	_, ok := s.store.(setter)
	return ok
}

// keepNow leaves a copy of what is stored now, as a load found it. What an envelope
// can't read is moved, and wrote tells so. drop takes the copy away again.
func (s *shared) keepNow(ctx context.Context, key string, now backend.Blob, found error) (keptAs string, wrote bool, drop func(), err error) {
	drop = func() {}
	e, moves := s.store.(setter)
	switch {
	case errors.Is(found, backend.ErrNotFound):
		return "", false, drop, nil
	case unreadable(found) && moves:
		keptAs, err = s.setAside(ctx, e, key)
		return keptAs, err == nil || unanswered(err), drop, err
	}
	keptAs, drop, err = s.copyAside(ctx, key, damaged{blob: now})
	return keptAs, false, drop, err
}

func unreadable(err error) bool {
	return errors.Is(err, backend.ErrDecrypt) || errors.Is(err, backend.ErrCorrupt)
}
