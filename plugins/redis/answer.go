package redis

import (
	"errors"

	"github.com/msalext/msalext/extensions/backend"
)

// answer is what a script returned.
type answer []any

var errNonsense = &backend.Error{
	Kind: backend.ErrUnavailable, Err: errors.New("the server's answer isn't one that a script of this backend gives"),
	Hint: "see that the address is a Redis server's, and that no proxy between changes what it answers",
}

// status is what the script says first, errors as such.
func (a answer) status() (int64, error) {
	if len(a) > 0 {
		switch n, ok := a[0].(int64); {
		case !ok:
		case n == damaged:
			return n, errDamaged
		case n == absent:
			return n, backend.ErrNotFound
		default:
			return n, nil
		}
	}
	return 0, errNonsense
}

// text is the i-th part.
func (a answer) text(i int) (string, error) {
	if i < len(a) {
		if s, ok := a[i].(string); ok {
			return s, nil
		}
	}
	return "", errNonsense
}

// number is the i-th part.
func (a answer) number(i int) (int64, error) {
	if i < len(a) {
		if n, ok := a[i].(int64); ok {
			return n, nil
		}
	}
	return 0, errNonsense
}
