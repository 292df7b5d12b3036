package libsecret

import (
	"context"
	"errors"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// item is a stored one.
type item struct {
	path       dbus.ObjectPath
	attributes map[string]string
	modified   uint64 // seconds since 1970
}

// find returns the key's item. Peers can leave several, under different
// schemas: the one that changed last counts. It fails with ErrNotFound, or
// with ErrLocked where a locked item may be the one.
func (s *service) find(ctx context.Context, at place, key string) (item, error) {
	unlocked, locked, err := s.search(ctx, at, at.sought(key))
	if err != nil {
		return item{}, err
	}
	found := item{path: none}
	for _, path := range unlocked {
		it, err := s.item(ctx, path)
		if gone(err) { // between the search and now
			continue
		}
		if err != nil {
			return item{}, err
		}
		if at.matches(key, it.attributes) && (found.path == none || it.modified > found.modified) {
			found = it
		}
	}
	switch {
	case found.path != none:
		return found, nil
	case len(locked) > 0:
		return item{}, errLocked
	default:
		return item{}, s.absent(ctx, at)
	}
}

// absent is ErrNotFound, unless the keyring is locked: some services find
// nothing in a locked one.
func (s *service) absent(ctx context.Context, at place) error {
	path, err := s.collection(ctx, at.collection)
	if err != nil {
		return err
	}
	locked, err := s.locked(ctx, path, collectionInterface)
	if err != nil {
		return err
	}
	if locked {
		return errLocked
	}
	return backend.ErrNotFound
}

var errLocked = &backend.Error{
	Kind: backend.ErrLocked,
	Hint: "unlock the keyring: sign in to the desktop, open its keyring program, or call Unlock, which asks for the password",
}

// search looks through all collections, as libsecret does, unless one was
// chosen.
func (s *service) search(ctx context.Context, at place, sought map[string]string) (unlocked, locked []dbus.ObjectPath, err error) {
	if at.collection == "default" {
		err = s.call(ctx, servicePath, serviceInterface+"SearchItems", sought).Store(&unlocked, &locked)
		return unlocked, locked, err
	}
	collection, err := s.collection(ctx, at.collection)
	if err != nil {
		return nil, nil, err
	}
	if err := s.call(ctx, collection, collectionInterface+"SearchItems", sought).Store(&unlocked); err != nil || len(unlocked) == 0 {
		return nil, nil, err
	}
	shut, err := s.locked(ctx, collection, collectionInterface)
	if shut {
		return nil, unlocked, err
	}
	return unlocked, nil, err
}

func (s *service) item(ctx context.Context, path dbus.ObjectPath) (item, error) {
	var all map[string]dbus.Variant
	if err := s.call(ctx, path, properties+"GetAll", strings.TrimSuffix(itemInterface, ".")).Store(&all); err != nil {
		return item{}, err
	}
	it := item{path: path}
	it.attributes, _ = all["Attributes"].Value().(map[string]string)
	it.modified, _ = all["Modified"].Value().(uint64)
	return it, nil
}

func (s *service) secret(ctx context.Context, it item) ([]byte, error) {
	var sealed secret
	err := s.call(ctx, it.path, itemInterface+"GetSecret", s.session.path).Store(&sealed)
	if gone(err) {
		return nil, backend.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return s.session.open(sealed)
}

// replace keeps the item's label and attributes, which may be a peer's.
func (s *service) replace(ctx context.Context, it item, data []byte) error {
	sealed, err := s.session.seal(data)
	if err != nil {
		return err
	}
	err = s.call(ctx, it.path, itemInterface+"SetSecret", sealed).Err
	if gone(err) {
		return backend.ErrConflict
	}
	return err
}

// create makes the item. Two that create the same end with one item, since
// the service replaces one with equal attributes.
func (s *service) create(ctx context.Context, at place, key string, data []byte) error {
	collection, err := s.collection(ctx, at.collection)
	if err != nil {
		return err
	}
	sealed, err := s.session.seal(data)
	if err != nil {
		return err
	}
	all := map[string]dbus.Variant{
		itemInterface + "Label":      dbus.MakeVariant(at.label),
		itemInterface + "Attributes": dbus.MakeVariant(at.stored(key)),
	}
	var path, prompt dbus.ObjectPath
	if err := s.call(ctx, collection, collectionInterface+"CreateItem", all, sealed, true).Store(&path, &prompt); err != nil {
		return err
	}
	return s.unprompted(ctx, prompt)
}

func (s *service) remove(ctx context.Context, it item) error {
	var prompt dbus.ObjectPath
	err := s.call(ctx, it.path, itemInterface+"Delete").Store(&prompt)
	if gone(err) {
		return backend.ErrConflict
	}
	if err != nil {
		return err
	}
	return s.unprompted(ctx, prompt)
}

// unprompted fails where the service wants to ask a person: only Unlock may.
func (s *service) unprompted(ctx context.Context, prompt dbus.ObjectPath) error {
	if prompt == none {
		return nil
	}
	return errors.Join(errLocked, s.call(ctx, prompt, promptInterface+"Dismiss").Err)
}
