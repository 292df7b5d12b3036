package persist

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

// union is what a token cache has to hold so that nothing of two others is
// lost. Where both hold the same entry and differ, mine counts for refresh
// tokens and accounts, and of access and ID tokens the later one. ErrConflict:
// they aren't token caches, or each has something that msalext doesn't know
// and can't unite.
func union(mine, theirs []byte) ([]byte, error) {
	mine, err := withMembers(mine, nil, theirs)
	if err != nil {
		return nil, err
	}
	if _, more, err := tokencache.Merge(nil, theirs, mine, tokencache.OpAcquire); err == nil && !more {
		return mine, nil // it has everything already
	}
	if theirs, err = withMembers(theirs, nil, mine); err != nil {
		return nil, err
	}
	all, _, err := tokencache.Merge(nil, mine, theirs, tokencache.OpAcquire)
	if err != nil {
		return nil, notUnited(err)
	}
	return all, nil
}

// follow carries over to theirs what was made of base in ours. ErrConflict is as
// of union.
func follow(base, ours, theirs []byte) ([]byte, error) {
	all, _, err := tokencache.Merge(base, ours, theirs, tokencache.OpAcquire)
	if err != nil {
		return nil, notUnited(err)
	}
	return withMembers(all, base, ours)
}

// withMembers adds to cache what other has at its top level, but base hasn't,
// and msalext doesn't know. The merge leaves such alone, since it can't tell
// what changed.
func withMembers(cache, base, other []byte) ([]byte, error) {
	known, err := members(cache)
	before, berr := members(base)
	added, oerr := members(other)
	if err := errors.Join(err, berr, oerr); err != nil {
		return nil, notUnited(err)
	}
	grown := false
	for name, value := range added {
		was, has := known[name]
		old, stale := before[name]
		switch {
		case isSection(name), stale && sameJSON(value, old), has && sameJSON(value, was):
		case !has, stale && sameJSON(was, old):
			known[name], grown = value, true
		default:
			return nil, notUnited(fmt.Errorf("both have a %q, and they differ", name))
		}
	}
	if !grown {
		return cache, nil
	}
	return json.Marshal(known)
}

// members reads the top level of a token cache.
func members(cache []byte) (map[string]json.RawMessage, error) {
	cache = bytes.TrimPrefix(cache, []byte("\ufeff"))
	all := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(cache)) == 0 {
		return all, nil
	}
	if err := json.Unmarshal(cache, &all); err != nil || all == nil { // null is valid JSON
		return nil, errors.New("they aren't both token caches") // the decoder's error would quote them
	}
	return all, nil
}

// sameJSON compares as it is written here, since others add white space.
func sameJSON(a, b json.RawMessage) bool {
	x, err := json.Marshal(a)
	y, yerr := json.Marshal(b)
	return err == nil && yerr == nil && bytes.Equal(x, y)
}

func isSection(name string) bool {
	for k := tokencache.AccessTokens; k <= tokencache.AppMetadata; k++ {
		if k.String() == name {
			return true
		}
	}
	return false
}

// errNotUnited tells a conflict of contents from one between writers.
var errNotUnited = errors.New("the target holds something else, and the two can't be united")

func notUnited(err error) error {
	return &backend.Error{Op: "migrate", Kind: backend.ErrConflict, Err: fmt.Errorf("%w: %w", errNotUnited, err),
		Hint: "migrate to another location, or remove what the target holds if nobody needs it"}
}
