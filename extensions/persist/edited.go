package persist

import (
	"bytes"

	"github.com/msalext/msalext/extensions/tokencache"
)

// edited is the cache as the last Modify left it. With it the next one, which
// mostly finds it like that, needn't parse; and it writes into memory of the one
// before, since a program's garbage collector would else have to run for every
// few changes.
//
// What a Modify made is used again once another is stored in its place, if no
// View has shown it and no cache was read from it, whose entries would refer to
// it. A store keeps no reference to what it was given.
type edited struct {
	data  []byte
	cache *tokencache.TokenCache // of data; nobody else has it

	made  []byte // by the write that is under way
	last  []byte // by the one before, and stored, where no cache was read since
	spare []byte // what nobody refers to any more
}

// take returns data parsed, for the caller alone.
func (e *edited) take(data []byte) (*tokencache.TokenCache, error) {
	if e.cache != nil && bytes.Equal(e.data, data) {
		tc := e.cache
		e.data, e.cache = nil, nil
		return tc, nil
	}
	*e = edited{spare: e.spare}
	var tc tokencache.TokenCache
	return &tc, tc.Deserialize(data)
}

// leave keeps a copy of tc, since whoever changed it may still have it, and
// returns it serialized.
func (e *edited) leave(tc *tokencache.TokenCache) []byte {
	data := tc.AppendSerialized(e.spare[:0])
	*e = edited{data: data, cache: tc.Clone(), made: data, last: e.last}
	return data
}

// stored notes that a write has put now in the place of before.
func (e *edited) stored(before, now *snapshot) {
	if before != now && before != nil && before.unseen && sameMemory(before.data, e.last) {
		e.spare = e.last
	}
	now.unseen = before != now && sameMemory(now.data, e.made)
	e.made, e.last = nil, nil
	if now.unseen {
		e.last = now.data
	}
}

func sameMemory(a, b []byte) bool { return len(a) > 0 && len(b) > 0 && &a[0] == &b[0] }
