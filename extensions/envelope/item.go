package envelope

import (
	"context"
	"errors"
	"slices"

	"github.com/msalext/msalext/extensions/backend"
)

// A KeyItem is an item of a key store that processes share, such as a
// *persist.Persistence, for keeping keys in.
type KeyItem interface {
	// Load returns the item. ErrNotFound: nothing was ever saved.
	Load(ctx context.Context) ([]byte, error)
	// Update changes the item exclusively across processes. fn gets nil where
	// nothing is stored; equal bytes are not written.
	Update(ctx context.Context, fn func(old []byte) ([]byte, error)) error
}

// FromItem keeps the keys in an item of an operating system's key store: one
// small secret there, and the data itself in a file, in SQLite or in Redis. The
// first key is made when the first item is saved.
//
// The item is for keys alone; give it a location of its own, for instance that
// of the cache with ".keys" behind it.
func FromItem(item KeyItem) *Item { return &Item{item: item} }

// An Item is an item of a key store with keys in it.
type Item struct {
	opaque
	item KeyItem
}

var (
	_ Keys    = (*Item)(nil)
	_ Creator = (*Item)(nil)
)

// Keys reads the item. ErrNotFound: nothing is stored. ErrCorrupt: something
// that isn't a key set.
func (i *Item) Keys(ctx context.Context) (Key, []Key, error) {
	data, err := i.item.Load(ctx)
	if err != nil {
		return Key{}, nil, err
	}
	defer clear(data)
	keys, err := parseKeySet(data)
	if err != nil {
		return Key{}, nil, err
	}
	return keys[0], keys[1:], nil
}

// CreateKey stores a first key, unless there is one.
func (i *Item) CreateKey(ctx context.Context) error {
	return i.change(ctx, func(keys []Key) []Key {
		if len(keys) > 0 {
			return keys
		}
		return []Key{NewKey()}
	})
}

// Rotate adds a new key, which writes from now on; the others still read.
// Running programs use it within 5 minutes, or once they read something that is
// encrypted with it. Encrypt what is stored anew with Persistence.RewrapAll when
// these have passed, and no sooner.
func (i *Item) Rotate(ctx context.Context) error {
	return i.change(ctx, func(keys []Key) []Key { return slices.Insert(keys, 0, NewKey()) })
}

// Retire removes all keys but the one that writes. What is still encrypted with
// one of them can't be read any more: call it after a Persistence.RewrapAll that
// began no sooner than 5 minutes after Rotate, when no program wrote with the old
// key any more, and that succeeded.
func (i *Item) Retire(ctx context.Context) error {
	return i.change(ctx, func(keys []Key) []Key { return keys[:min(1, len(keys))] })
}

func (i *Item) change(ctx context.Context, fn func([]Key) []Key) error {
	return i.item.Update(ctx, func(old []byte) ([]byte, error) {
		var keys []Key
		if len(old) > 0 {
			var err error
			if keys, err = parseKeySet(old); err != nil {
				return nil, err
			}
		}
		before := len(keys)
		keys = fn(keys)
		switch {
		case len(keys) == 0:
			return nil, &backend.Error{Op: "write the keys", Kind: backend.ErrNotFound, Err: errors.New("there is no key yet")}
		case len(keys) == before:
			return old, nil
		}
		return formatKeySet(keys)
	})
}

// Source names the key store, where it has a name.
func (i *Item) Source() string {
	if p, ok := i.item.(interface{ Backend() string }); ok && p.Backend() != "" {
		return "the key store " + p.Backend()
	}
	return "a key store"
}
