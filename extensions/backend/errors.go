package backend

import (
	"context"
	"errors"
	"strings"
)

// The kinds of failure. Test for them with errors.Is.
var (
	// ErrNotFound: nothing is stored. A normal answer.
	ErrNotFound = errors.New("nothing is stored")
	// ErrConflict: the item isn't the version that the caller named.
	ErrConflict = errors.New("somebody else changed it")
	// ErrLocked: a person must unlock the store first.
	ErrLocked = errors.New("the store is locked")
	// ErrDenied: the system, or a person at a prompt, said no; or a file isn't
	// safe to use because others own it or can write it.
	ErrDenied = errors.New("access denied")
	// ErrUnavailable: the store isn't there or can't be reached. It says
	// nothing of the data.
	ErrUnavailable = errors.New("the store can't be reached")
	// ErrUnsupported: this system, build or store can't do it at all.
	ErrUnsupported = errors.New("not supported")
	// ErrCorrupt: what is stored can't be understood. It is kept.
	ErrCorrupt = errors.New("what is stored is damaged")
	// ErrDecrypt: what is stored can't be decrypted. It is kept.
	ErrDecrypt = errors.New("what is stored can't be decrypted")
	// ErrEncrypt: the data could not be encrypted; nothing was stored.
	ErrEncrypt = errors.New("could not be encrypted")
	// ErrTooLarge: the store doesn't take that many bytes.
	ErrTooLarge = errors.New("too large for the store")
	// ErrTimeout: the store didn't answer within its own deadline. The
	// caller's deadline is context.DeadlineExceeded.
	ErrTimeout = errors.New("the store didn't answer in time")
	// ErrLockTimeout: another process held the lock until the wait ended.
	ErrLockTimeout = errors.New("another process holds the lock")
	// ErrBackendChanged: this location was used with another backend.
	ErrBackendChanged = errors.New("stored with another backend")
	// ErrPluginNotFound: no plugin of that name is installed.
	ErrPluginNotFound = errors.New("plugin not found")
	// ErrPluginRefused: the plugin is there, and isn't safe to run.
	ErrPluginRefused = errors.New("plugin refused")
	// ErrInvalid: a location, name, setting or argument is wrong.
	ErrInvalid = errors.New("invalid")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("closed")
)

// Kinds lists every kind of failure, in a fixed order.
func Kinds() []error {
	return []error{
		ErrNotFound, ErrConflict, ErrLocked, ErrDenied, ErrUnavailable, ErrUnsupported,
		ErrCorrupt, ErrDecrypt, ErrEncrypt, ErrTooLarge, ErrTimeout, ErrLockTimeout,
		ErrBackendChanged, ErrPluginNotFound, ErrPluginRefused, ErrInvalid, ErrClosed,
	}
}

// Error is what every failing call of a store, a persistence or a plugin host
// returns: what was tried on which backend, why it failed and what to do.
// It holds no token, no secret setting and no stored byte.
type Error struct {
	Op      string // what was tried: "load", "save", "open"
	Backend string // on which backend; empty where none is meant
	Kind    error  // one of [Kinds]
	Hint    string // what the user or developer can do; may be empty
	Err     error  // the cause; may be nil
}

// Error is one line: operation, backend, kind, cause, and the hint after ";".
func (e *Error) Error() string {
	parts := []string{strings.TrimSpace("msalext: " + e.Op)}
	if e.Backend != "" {
		parts[0] += " (" + e.Backend + ")"
	}
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			parts = append(parts, err.Error())
		}
	}
	text := strings.Join(parts, ": ")
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Unwrap returns the kind and the cause, so that errors.Is finds both.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// KindOf returns the first kind of [Kinds] that err is, else nil.
func KindOf(err error) error {
	if e := (*Error)(nil); errors.As(err, &e) && e.Kind != nil {
		return e.Kind
	}
	for _, kind := range Kinds() {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// Wrap makes an [*Error] of err: nil stays nil, an *Error keeps its kind and
// gains the operation and backend that it lacks, and a context error stays
// recognisable. Anything else gets the kind given.
func Wrap(op, backend string, kind, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok { // one that others wrapped keeps its place in the chain
		filled := *e
		filled.Op, filled.Backend = or(e.Op, op), or(e.Backend, backend)
		return &filled
	}
	if known := KindOf(err); known != nil {
		kind = known
	} else if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		kind = nil
	}
	if err == kind { // a bare kind is its own message
		err = nil
	}
	return &Error{Op: op, Backend: backend, Kind: kind, Err: err}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
