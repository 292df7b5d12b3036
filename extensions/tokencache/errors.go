package tokencache

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrMalformed is what errors.Is finds in every error of this package that
// says that bytes are no token cache.
var ErrMalformed = errors.New("not a token cache")

// ErrInvalid is what errors.Is finds when Add or Modify was given what can't be
// stored. Nothing was changed then.
var ErrInvalid = errors.New("can't be stored in a token cache")

// ErrNotFound is what errors.Is finds when Modify was given an entry that the
// cache doesn't hold, or holds no longer.
var ErrNotFound = errors.New("no such entry in the token cache")

// SyntaxError says where and why bytes could not be read as a token cache. It
// never holds any part of them. It wraps ErrMalformed.
type SyntaxError struct {
	// Input is the argument of Merge that is at fault: "base", "ours" or
	// "theirs". It is empty elsewhere.
	Input string
	// Offset is the distance in bytes from the start of the input, at or
	// after which the fault lies.
	Offset int64
	// Reason is a fixed phrase.
	Reason string
}

// Error returns one line without any of the bytes that were read.
func (e *SyntaxError) Error() string {
	name := "token cache"
	if e.Input != "" {
		name = "token cache (" + e.Input + ")"
	}
	return fmt.Sprintf("read %s: %s at byte %d", name, e.Reason, e.Offset)
}

// Unwrap returns ErrMalformed.
func (e *SyntaxError) Unwrap() error { return ErrMalformed }

const (
	reasonNotObject = "not a JSON object"
	reasonEncoding  = "not UTF-8"
	reasonTrailing  = "data after the end of the object"
	reasonDuplicate = "a member name is used twice"
	reasonTruncated = "ends too early"
	reasonSyntax    = "invalid JSON"
)

// syntaxReason names the fault. The decoder's own text quotes the input, and a
// JSON pointer in it would hold the home account id.
func syntaxReason(err error) string {
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return reasonDuplicate
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return reasonTruncated
	default:
		return reasonSyntax
	}
}
