package tokencache

import (
	"slices"
	"strings"
)

// Add stores what a token endpoint answered: the access token, the refresh
// token, the ID token, the account and the application's metadata, as far as
// they are there, with the fields and under the keys that MSAL Python's
// TokenCache.add gives them.
//
// Unlike there, an entry that is there already under another key, because
// another library wrote it or because other scopes were asked for, is
// overwritten where it is, and keeps its fields that the new one lacks (but an
// access token); further copies of a token are removed. So one refresh token
// is left, the new one.
//
// The error wraps ErrInvalid and names what is missing or can't be read;
// nothing is changed then.
func (c *TokenCache) Add(e Event) error {
	fresh, err := e.entries()
	if err != nil {
		return err
	}
	for _, n := range fresh {
		c.upsert(newChange(n.section, nil, &entry{raw: n.raw}))
	}
	c.stateChanged()
	return nil
}

// upsert stores an entry that has an identity.
func (c *TokenCache) upsert(n change) {
	s := &c.sections[n.kind]
	key := keyOf(n.kind, &n.facts)
	same := c.same(&n)
	if len(same) == 0 {
		for c.taken(n.kind, key) {
			key += "-"
		}
		s.put(key, n.ours.raw)
		return
	}
	kept := c.kept(&n, key, same)
	s.put(s.entries[kept].key, n.combine(s.entries[kept].raw))
	for _, pos := range same {
		if pos != kept {
			s.drop(pos)
		}
	}
}

// kept returns which of the same entries to overwrite: the one under Python's
// key, else one of the same host, else the first.
func (c *TokenCache) kept(n *change, key string, same []int) int {
	s := &c.sections[n.kind]
	if pos, ok := s.find(key); ok && slices.Contains(same, pos) {
		return pos
	}
	i := slices.IndexFunc(same, func(pos int) bool {
		f := factsOf(s.entries[pos].raw)
		return strings.EqualFold(f.env, n.env)
	})
	return same[max(i, 0)]
}

// same returns where the cache holds an entry already. Accounts and metadata
// are the same only at the same host: Python looks for metadata at the host
// that it is configured with.
func (c *TokenCache) same(n *change) []int {
	var found []int
	for i, e := range c.sections[n.kind].all {
		f := factsOf(e.raw)
		id, known := f.identity(n.kind)
		if !known || id != n.id {
			continue
		}
		if n.kind < Accounts || strings.EqualFold(f.env, n.env) {
			found = append(found, i)
		}
	}
	return found
}

// taken reports whether a key is that of an entry that some library can read:
// Python computes one key for a bearer token and one bound to a key.
func (c *TokenCache) taken(k Section, key string) bool {
	s := &c.sections[k]
	pos, ok := s.find(key)
	if !ok {
		return false
	}
	_, known := identityOf(k, s.entries[pos].raw)
	return known
}
