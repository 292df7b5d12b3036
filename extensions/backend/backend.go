package backend

import "context"

// A Backend is a kind of store: "file", "libsecret", "redis".
//
// It is safe for concurrent use, and holds no resource before Open.
type Backend interface {
	// Describe tells name, settings and needs. It does no I/O and always
	// returns the same.
	Describe() Description

	// Open returns the store at a location. It doesn't prompt. It fails with
	// ErrUnavailable when the store isn't there, ErrUnsupported when this
	// system can't have it, and ErrInvalid when a setting is wrong. ctx
	// bounds the call and not the life of the store.
	Open(ctx context.Context, c Config) (Store, error)
}

// A Store keeps items by key. The key "" is the application's main item; any
// other string, of any characters, names a further one.
//
// It is safe for concurrent use, also while Close runs: calls that begin
// after Close fail with ErrClosed. It keeps no reference to data after Save
// returns, and callers own what Load returned.
type Store interface {
	// Info tells what the store is. It does no I/O and is constant for the
	// life of the store.
	Info() Info

	// Load returns the item and its version, ErrNotFound when nothing is
	// stored. With have equal to the current version, a store may answer
	// Blob{Version: have, Unchanged: true} without data; None asks for the
	// data always.
	Load(ctx context.Context, key string, have Version) (Blob, error)

	// Save replaces the item, whole or not at all, when its version is base
	// (None: nothing is stored), and returns the new version. Otherwise
	// nothing changes and the error is ErrConflict. Data is never empty:
	// peers leave empty files that mean "nothing stored", so every store
	// refuses it with ErrInvalid.
	Save(ctx context.Context, key string, data []byte, base Version) (Version, error)

	// Delete removes the item when its version is base, else ErrConflict.
	// Deleting what isn't stored with base None succeeds.
	Delete(ctx context.Context, key string, base Version) error

	// Close lets go of everything that Open acquired. A second call does
	// nothing.
	Close() error
}

// Version names one state of an item. It is opaque, and differs whenever the
// stored bytes differ.
type Version string

// None is the version of an item that isn't stored.
const None Version = ""

// A Blob is an item as loaded.
type Blob struct {
	Data      []byte
	Version   Version
	Unchanged bool // Data is nil: the item still has the version that the caller named.
}

// Info is what an open store says of itself.
type Info struct {
	// Encrypted tells whether the bytes are encrypted where they rest.
	Encrypted bool
	// Method names what encrypts, for people: "DPAPI, current user". Empty:
	// nothing does.
	Method string
	// Against tells, for people, who can't read the items: "other users of
	// this machine".
	Against string
	// Location tells, for people, where the items lie. It is never empty.
	Location string
	// Stamp tells which file shows that an item changed.
	Stamp Stamp
	// MaxBytes is the largest item the store takes; 0: no limit of its own.
	MaxBytes int64
	// Caps are the optional powers.
	Caps Caps
}

// Stamp says which file the host looks at to learn that an item changed.
type Stamp int

const (
	// StampNone: no file shows it; Load is asked, with the version at hand.
	StampNone Stamp = iota
	// StampData: the store keeps each item in the file PathFor names.
	StampData
	// StampSignal: the host touches the file PathFor names after each Save,
	// under the lock; the item lies elsewhere.
	StampSignal
)
