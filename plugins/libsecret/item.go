package libsecret

import (
	"context"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// item is a stored one.
type item struct {
	path       dbus.ObjectPath
	attributes map[string]string
	label      string
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
	items, err := s.items(ctx, unlocked)
	if err != nil {
		return item{}, err
	}
	found := item{path: none}
	for _, it := range items {
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

// again reads the item that was the key's before. It asks both questions at once,
// which takes little longer than one; and where an item that is to be changed
// turns out to be empty, whether it is one that was emptied to delete it. What
// still finds the item is taken for all of its attributes. Not ok: another item
// may be the key's now, or something went wrong.
func (s *service) again(ctx context.Context, at place, key string, was item, change bool) (it item, stored []byte, ok bool) {
	var found []dbus.ObjectPath
	var searched error
	var asking sync.WaitGroup
	asking.Go(func() { found, _, searched = s.search(ctx, at, at.sought(key)) })
	stored, err := s.secret(ctx, was)
	asking.Wait()
	if it = was; err == nil && change && len(stored) == 0 {
		it, err = s.item(ctx, was.path)
	}
	ok = searched == nil && err == nil && len(found) == 1 && found[0] == was.path && at.matches(key, it.attributes)
	return it, stored, ok
}

// absent is ErrNotFound, unless the keyring is locked: some services find
// nothing in a locked one.
func (s *service) absent(ctx context.Context, at place) error {
	path, err := s.collection(ctx, at.collection)
	if err != nil {
		return err
	}
	locked, err := s.locked(ctx, path)
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
		err = take(s.call(ctx, servicePath, serviceInterface+"SearchItems", sought), "aoao", &unlocked, &locked)
		return unlocked, locked, err
	}
	collection, err := s.collection(ctx, at.collection)
	if err != nil {
		return nil, nil, err
	}
	found := s.call(ctx, collection, collectionInterface+"SearchItems", sought)
	if err := take(found, "ao", &unlocked); err != nil || len(unlocked) == 0 {
		return nil, nil, err
	}
	shut, err := s.locked(ctx, collection)
	if shut {
		return nil, unlocked, err
	}
	return unlocked, nil, err
}

// items reads several at once, so that many take little longer than one. Those
// that have gone since the search are left out.
func (s *service) items(ctx context.Context, paths []dbus.ObjectPath) ([]item, error) {
	const atOnce = 32
	read, errs := make([]item, len(paths)), make([]error, len(paths))
	turns := make(chan struct{}, atOnce)
	var reading sync.WaitGroup
	for i, path := range paths {
		turns <- struct{}{}
		reading.Go(func() {
			defer func() { <-turns }()
			read[i], errs[i] = s.item(ctx, path)
		})
	}
	reading.Wait()
	var found []item
	for i, err := range errs {
		switch {
		case gone(err):
		case err != nil:
			return nil, err
		default:
			found = append(found, read[i])
		}
	}
	return found, nil
}

func (s *service) item(ctx context.Context, path dbus.ObjectPath) (item, error) {
	var all map[string]dbus.Variant
	if err := take(s.call(ctx, path, properties+"GetAll", strings.TrimSuffix(itemInterface, ".")), "a{sv}", &all); err != nil {
		return item{}, err
	}
	it := item{path: path}
	it.attributes, _ = all["Attributes"].Value().(map[string]string)
	it.label, _ = all["Label"].Value().(string)
	it.modified, _ = all["Modified"].Value().(uint64)
	return it, nil
}

func (s *service) secret(ctx context.Context, it item) ([]byte, error) {
	reply := s.call(ctx, it.path, itemInterface+"GetSecret", s.session.path)
	if gone(reply.Err) {
		return nil, backend.ErrNotFound
	}
	if reply.Err != nil {
		return nil, reply.Err
	}
	sealed, ok := received(reply.Body)
	if !ok {
		return nil, errNonsense
	}
	return s.session.open(sealed)
}

// replace keeps the item's label and attributes, which may be a peer's.
func (s *service) replace(ctx context.Context, at place, it item, data []byte) error {
	if it.deleted() {
		if err := s.rename(ctx, it, at.label); err != nil {
			return err
		}
	}
	return s.overwrite(ctx, it, data)
}

func (s *service) overwrite(ctx context.Context, it item, data []byte) error {
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
	if err := take(s.call(ctx, collection, collectionInterface+"CreateItem", all, sealed, true), "oo", &path, &prompt); err != nil {
		return err
	}
	return s.created(ctx, prompt)
}

func (s *service) remove(ctx context.Context, it item) error {
	var prompt dbus.ObjectPath
	err := take(s.call(ctx, it.path, itemInterface+"Delete"), "o", &prompt)
	if gone(err) {
		return backend.ErrConflict
	}
	if err != nil {
		return err
	}
	return s.removed(ctx, it, prompt)
}
