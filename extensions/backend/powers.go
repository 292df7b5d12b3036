package backend

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Caps are a store's optional powers, a set of bits. Bits that a reader
// doesn't know are ignored.
type Caps uint32

const (
	CanWatch  Caps = 1 << iota // Watcher
	CanUnlock                  // Unlocker
	CanList                    // Lister
	CanExpire                  // Expirer
	CanCheck                   // Checker
	// CanCAS: Save and Delete compare and swap atomically by themselves, also
	// between machines, so the host takes no file lock.
	CanCAS
	// CanPatch is reserved for byte edits against a base version.
	CanPatch
)

var capNames = []string{"watch", "unlock", "list", "expire", "check", "cas", "patch"}

// String lists the powers' names, joined by ",".
func (c Caps) String() string {
	var names []string
	for i, name := range capNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Watcher tells of changes as they happen.
type Watcher interface {
	// Watch yields the item's version after each change by anyone, at least
	// one after the last change, until ctx ends or the caller stops. Several
	// changes may show as one. After an error it yields no more; ErrClosed ends
	// it when the store is closed.
	Watch(ctx context.Context, key string) iter.Seq2[Version, error]
}

// Unlocker opens a locked store.
type Unlocker interface {
	// Unlock makes the store usable. It is the only call that may prompt.
	// ErrDenied: the user said no. ErrTimeout: nobody answered.
	Unlock(ctx context.Context) error
}

// Lister names what is stored.
type Lister interface {
	// Keys yields the items whose key begins with prefix, in any order, or one
	// error: a locked store doesn't look like an empty one. What is stored all
	// along is yielded once, whatever comes and goes meanwhile, also through
	// the same store.
	Keys(ctx context.Context, prefix string) iter.Seq2[KeyInfo, error]
}

// KeyInfo tells of one stored item without its content.
type KeyInfo struct {
	Key      string
	Size     int64     // in bytes as stored; -1: not known
	Modified time.Time // zero: not known
}

// Expirer drops items by itself.
type Expirer interface {
	// Expire lets the store drop the item once ttl has passed, counted from
	// this call; 0 or less: never. A Save keeps the item's ttl. ErrNotFound:
	// nothing is stored.
	Expire(ctx context.Context, key string, ttl time.Duration) error
}

// Checker tests the store's own integrity.
type Checker interface {
	// Check reads what the store must get right to be trusted, such as a
	// database's pages, and changes nothing. ErrCorrupt: it found damage.
	Check(ctx context.Context) error
}

// Can returns the optional power T of a store that both announces c and
// implements it.
//
//	if w, ok := backend.Can[backend.Watcher](s, backend.CanWatch); ok { … }
func Can[T any](s Store, c Caps) (T, bool) {
	var none T
	if s.Info().Caps&c == 0 {
		return none, false
	}
	t, ok := s.(T)
	return t, ok
}
