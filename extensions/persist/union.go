package persist

import (
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
	mine, err := withMembers(mine, theirs)
	if err != nil {
		return nil, err
	}
	if _, more, err := tokencache.Merge(nil, theirs, mine, tokencache.OpAcquire); err == nil && !more {
		return mine, nil // it has everything already
	}
	if theirs, err = withMembers(theirs, mine); err != nil {
		return nil, err
	}
	all, _, err := tokencache.Merge(nil, mine, theirs, tokencache.OpAcquire)
	if err != nil {
		return nil, notUnited(err)
	}
	return all, nil
}

// withMembers adds to cache what other has at its top level and msalext
// doesn't know. The merge leaves such alone, since it can't tell what changed.
func withMembers(cache, other []byte) ([]byte, error) {
	known, added := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	err := errors.Join(json.Unmarshal(cache, &known), json.Unmarshal(other, &added))
	if err != nil || known == nil { // null is valid JSON
		return nil, notUnited(errors.New("they aren't both token caches")) // the decoder's error would quote them
	}
	grown := false
	for name, value := range added {
		switch was, has := known[name]; {
		case isSection(name):
		case !has:
			known[name], grown = value, true
		case string(was) != string(value):
			return nil, notUnited(fmt.Errorf("both have a %q, and they differ", name))
		}
	}
	if !grown {
		return cache, nil
	}
	return json.Marshal(known)
}

func isSection(name string) bool {
	for k := tokencache.AccessTokens; k <= tokencache.AppMetadata; k++ {
		if k.String() == name {
			return true
		}
	}
	return false
}

func notUnited(err error) error {
	return &backend.Error{Op: "migrate", Kind: backend.ErrConflict, Err: fmt.Errorf("the target holds something else, and the two can't be united: %w", err),
		Hint: "migrate to another location, or remove what the target holds if nobody needs it"}
}
