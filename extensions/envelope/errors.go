package envelope

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

const hintAside = "if it is lost for good, Persistence.Quarantine moves the item aside, and people sign in again"

// damaged is for what is an envelope and isn't whole. Nothing else is
// ErrCorrupt here: a cache may be told to move damaged items aside by itself,
// and what only lacks its key must stay.
func damaged(why string) error {
	return &backend.Error{Kind: backend.ErrCorrupt, Err: errors.New("the encrypted item: " + why),
		Hint: "bring it back from a backup; " + hintAside}
}

// unencrypted is for data without an envelope. Accepted, it would let whoever
// can write the store choose the tokens; overwritten, it would be lost.
func unencrypted() error {
	return &backend.Error{Kind: backend.ErrDecrypt, Err: errors.New("it isn't encrypted by an envelope"),
		Hint: "open it without Envelope and bring it over with Migrate, to another location"}
}

func newer() error {
	return &backend.Error{Kind: backend.ErrDecrypt, Err: errors.New("a newer version of msalext encrypted it"),
		Hint: "update this program; the item is left as it is"}
}

// unopened is for a key that is there and doesn't fit.
func unopened(id string) error {
	return &backend.Error{Kind: backend.ErrDecrypt,
		Err:  fmt.Errorf("it doesn't open with the key %s: it was changed, or belongs to another item or another store id", id),
		Hint: "check that Options.EnvelopeID and the item's key are those it was stored with; " + hintAside}
}

// keyless is for ciphertext whose key isn't there.
func keyless(id string) error {
	return &backend.Error{Kind: backend.ErrDecrypt, Err: fmt.Errorf("its key %s is missing", id),
		Hint: "bring the key back to where this program looks for it; " + hintAside}
}

// errNoKey: the source has no key, or not the one that was asked for.
var errNoKey = errors.New("there is no such key")

// keyError makes an error of a source one of the store. What the source says of
// its keys must not be taken for what the store says of the item: ErrNotFound
// would mean that nothing is stored. So nothing of it stays in the chain but
// the kind, where that may pass, and the end of a context.
func keyError(err error) error {
	kind := backend.KindOf(err)
	switch kind {
	case nil:
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return &backend.Error{Err: fmt.Errorf("waiting for the key: %w", err)}
		}
		kind = backend.ErrUnavailable
	case backend.ErrNotFound:
		return errNoKey
	case backend.ErrCorrupt, backend.ErrEncrypt, backend.ErrConflict, backend.ErrTooLarge:
		kind = backend.ErrDecrypt
	}
	text, hint := plainly(err, kind)
	return &backend.Error{Kind: kind, Err: errors.New("the key: " + text), Hint: hint}
}

// plainly divides an error into its text, without what the error around it says
// already, and its hint.
func plainly(err error, around error) (text, hint string) {
	if e, ok := err.(*backend.Error); ok {
		bare := *e
		bare.Hint, hint = "", e.Hint
		if bare.Kind == around && bare.Err != nil {
			bare.Kind = nil
		}
		err = &bare
	}
	return strings.TrimPrefix(err.Error(), "msalext: "), hint
}
