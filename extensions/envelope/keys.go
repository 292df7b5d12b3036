package envelope

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
)

// Keys is where an envelope's keys come from. It is safe for concurrent use,
// never asks a person, and may serve several stores.
//
// [FromItem], [File], [FromEnv], [FromPassphrase], [KernelKeyring], [Fixed]
// and [Several] are such; an application that has its keys from elsewhere, such
// as a server for keys, writes its own.
type Keys interface {
	// Keys returns all keys: the one that new data is encrypted with, and
	// others that old data may need. It creates none.
	//
	// ErrNotFound: there is no key yet, or none any more. A source that can't
	// be reached or opened for the moment says so with another kind, such as
	// ErrUnavailable or ErrLocked, which the store passes on.
	Keys(ctx context.Context) (first Key, others []Key, err error)
}

// Creator is what Keys implement that can make a first key. The store calls it
// only when it holds nothing that is encrypted with a key that is missing.
type Creator interface {
	// CreateKey makes a key where there is none. Of several processes that call
	// it at once all find the same key afterwards, or each other's too.
	CreateKey(ctx context.Context) error
}

// Finder is what Keys implement whose keys can't be listed: a passphrase has
// one for each salt. The store asks it for the key of what it reads instead of
// looking through Keys.
type Finder interface {
	// Find returns the key with an ID. ErrNotFound: it isn't one of these.
	Find(ctx context.Context, id string) (Key, error)
}

// Lapser is what Keys implement that are known to be gone after a while.
type Lapser interface {
	// Lapsed tells whether a key that can't be found any more was to be gone by
	// now and will never come back. Data of such a key counts as not stored:
	// a Load answers ErrNotFound, and a Save puts the old ciphertext aside.
	Lapsed(id string) bool
}

// Source is what Keys implement to tell people where the key is.
type Source interface {
	// Source completes "AES-256-GCM, with a key from …".
	Source() string
}

// A Key encrypts, or decrypts what it encrypted. Print it without worry: the
// secret doesn't show.
type Key struct {
	// ID tells which key something is encrypted with; it is stored in clear. It
	// has 1 to 128 letters, digits and characters of "-_.:=+/". No two keys of
	// one source have the same ID.
	ID     string
	Secret Secret
}

// A Secret is 256 random bits. Every verb of package fmt, package slog and
// encoders show "[secret]".
type Secret [32]byte

const redacted = "[secret]"

// Format prints "[secret]", whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue is "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is "[secret]", so that encoders don't reveal it either.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// NewKey returns a new random key with a random ID. It never fails.
func NewKey() Key {
	k := Key{ID: randomID()}
	_, _ = rand.Read(k.Secret[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	return k
}

func randomID() string {
	var id [8]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// usable tells why a key can't be used; "": it can.
func (k Key) usable() string {
	switch {
	case !validID(k.ID):
		return fmt.Sprintf("a key's ID isn't 1 to %d letters, digits and characters of %s", maxID, idMarks)
	case k.Secret == Secret{}:
		return "the secret of the key " + k.ID + " is empty"
	}
	return ""
}

const idMarks = "-_.:=+/"

// validID admits what can be printed in an error without harm, since IDs of
// damaged or hostile data are.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, c := range []byte(id) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && !slices.Contains([]byte(idMarks), c) {
			return false
		}
	}
	return true
}
