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
		s.entries = slices.Clone(s.entries)
		s.index = maps.Clone(s.index)
		s.lookups = maps.Clone(s.lookups) // what it maps to never changes
	}
	return &clone
}
