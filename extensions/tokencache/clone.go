package tokencache

import (
	"maps"
	"slices"
)

// Clone returns a cache that holds what c holds, and that changes by itself. It
// costs a small part of what it costs to read the cache again. Hooks of OnChange
// stay with c. Like a search, a clone is a use of c: the two may be used at
// once, c and another call of Clone may not.
//
// Both refer to the data that c was read from.
func (c *TokenCache) Clone() *TokenCache {
	clone := *c
	clone.onChange = nil
	clone.members = slices.Clone(c.members)
	for k := range clone.sections {
		s := &clone.sections[k]
		n := len(s.entries)
		// Those that are gone would gather in a cache that is cloned and changed
		// again and again.
		s.entries = slices.DeleteFunc(slices.Clone(s.entries), func(e entry) bool { return e.gone })
		if len(s.entries) < n {
			s.index, s.lookups = nil, nil
			continue
		}
		s.index = maps.Clone(s.index)
		s.lookups = maps.Clone(s.lookups) // what it maps to never changes
	}
	return &clone
}
