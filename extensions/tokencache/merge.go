package tokencache

import (
	"cmp"
	"errors"
)

// Merge applies to theirs, what is stored now, everything that ours changed
// since base, and returns the result. base is what the MSAL library was given
// when it last read, ours is the whole cache that it hands over, op is what it
// did in between. Each is a serialized cache; nil or nothing is an empty one.
//
// Where changed is false, out is theirs, the very bytes. Where it is true, out
// is memory of its own and valid JSON. On an error, a *SyntaxError that names
// the input at fault and wraps ErrMalformed, out is nil: nothing may be
// stored. Merge modifies none of its arguments, and any number of calls may
// run at once.
//
// How entries are told apart and what wins is in the package documentation and
// docs/design.md. Where the library changed an entry and others did too: the
// access token that expires later stays; the refresh token of ours stays; the
// ID token issued later stays; accounts and application metadata are united,
// ours first. An entry that ours deleted is deleted, except application
// metadata. Members of the top level that aren't sections of the unified cache
// are theirs, always.
func Merge(base, ours, theirs []byte, op Op) (out []byte, changed bool, err error) {
	m := merger{op: op}
	err = cmp.Or(m.theirs.read("theirs", theirs), m.ours.read("ours", ours), m.base.read("base", base))
	if err != nil {
		return nil, false, err
	}
	m.merge()
	if !m.theirs.dirty() {
		return theirs, false, nil
	}
	return m.theirs.Serialize(), true, nil
}

func (c *TokenCache) read(input string, data []byte) error {
	err := c.Deserialize(data)
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		e.Input = input
	}
	return err
}

// merger holds one merge. The result is made in theirs.
type merger struct {
	base, ours, theirs TokenCache

	op      Op
	changes []change
	// kept are the entries of ours that equal base's and whose key isn't in
	// theirs: others deleted them, or hold them under another key.
	kept    []change
	index   [kinds]map[identity][]int // positions in theirs
	claimed [kinds]map[int]bool       // positions in theirs that a change has settled
	held    [kinds]map[identity]bool  // what ours holds, see oursHas
	cached  map[holder]int64          // when ours cached the newest token, see cachedAt
}

func (m *merger) merge() {
	for k := range kinds {
		m.diff(k)
	}
	if len(m.changes) == 0 {
		return
	}
	m.signOut()
	switch m.op {
	case OpSilent:
		m.dropSignedOut()
	default:
		m.restore()
	}
	m.apply()
}

// find returns the positions in theirs of the entries with an identity.
func (m *merger) find(k Section, id identity) []int {
	if m.index[k] == nil {
		m.index[k] = map[identity][]int{}
		for i, e := range m.theirs.sections[k].all {
			if id, ok := identityOf(k, e.raw); ok {
				m.index[k][id] = append(m.index[k][id], i)
			}
		}
	}
	return m.index[k][id]
}
