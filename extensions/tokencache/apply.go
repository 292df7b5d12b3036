package tokencache

import "slices"

// apply carries the changes over to theirs: deletions first, then those that
// find their entry under its own key, so that no other change takes it.
func (m *merger) apply() {
	for i := range m.claimed {
		m.claimed[i] = map[int]bool{}
	}
	var rest []*change
	for i := range m.changes {
		c := &m.changes[i]
		if c.ours == nil {
			m.remove(c)
		} else if pos, ok := m.sameKey(c, c.ours.key); ok {
			m.settle(c, pos)
		} else {
			rest = append(rest, c)
		}
	}
	for _, c := range rest {
		if pos, ok := m.slot(c); ok {
			m.settle(c, pos)
		} else {
			m.add(c)
		}
	}
	m.removeSuperseded()
}

// remove deletes what ours deleted, even if others changed it. Application
// metadata stays: the schema has no way to remove it, and without it MSAL Go
// finds no refresh token.
func (m *merger) remove(c *change) {
	s := &m.theirs.sections[c.kind]
	if c.kind == AppMetadata {
		return
	}
	if m.oursHas(c.kind, c.id) {
		if pos, ok := m.sameKey(c, c.base.key); ok {
			s.drop(pos)
		}
		return
	}
	for _, pos := range m.find(c.kind, c.id) {
		if !s.entries[pos].gone {
			s.drop(pos)
		}
	}
}

// oursHas reports whether ours still holds an entry with an identity, under
// whatever key: then it deleted one of several.
func (m *merger) oursHas(k Section, id identity) bool {
	if m.held[k] == nil {
		m.held[k] = map[identity]bool{}
		for _, e := range m.ours.sections[k].all {
			if id, ok := identityOf(k, e.raw); ok {
				m.held[k][id] = true
			}
		}
	}
	return m.held[k][id]
}

// sameKey finds the entry of theirs that has both a key and c's identity.
func (m *merger) sameKey(c *change, key string) (int, bool) {
	s := &m.theirs.sections[c.kind]
	pos, ok := s.find(key)
	if !ok {
		return 0, false
	}
	id, known := identityOf(c.kind, s.entries[pos].raw)
	return pos, known == c.known && (!known || id == c.id)
}

// slot finds the entry of theirs that is c's under another key. Its key is
// kept, so that the library that wrote it overwrites it next time, instead of
// adding a second one.
func (m *merger) slot(c *change) (int, bool) {
	if !c.known {
		return 0, false
	}
	found := slices.DeleteFunc(slices.Clone(m.find(c.kind, c.id)), func(pos int) bool {
		return m.claimed[c.kind][pos] || m.theirs.sections[c.kind].entries[pos].gone
	})
	if len(found) == 0 {
		return 0, false
	}
	return m.best(c, found), true
}

// best chooses among entries of theirs the one that says already what ours
// says, else one that others didn't change since base, else the first.
func (m *merger) best(c *change, found []int) int {
	if len(found) == 1 {
		return found[0]
	}
	entries := m.theirs.sections[c.kind].entries
	i := slices.IndexFunc(found, func(pos int) bool {
		return equal(c.kind, c.combine(entries[pos].raw), entries[pos].raw)
	})
	if i < 0 {
		i = slices.IndexFunc(found, func(pos int) bool { return m.unchanged(c, &entries[pos]) })
	}
	return found[max(i, 0)]
}

// settle resolves c against the entry at pos.
func (m *merger) settle(c *change, pos int) {
	m.claimed[c.kind][pos] = true
	s := &m.theirs.sections[c.kind]
	theirs := &s.entries[pos]
	if equal(c.kind, c.ours.raw, theirs.raw) || m.theirsWins(c, theirs) {
		return
	}
	raw := c.combine(theirs.raw)
	if equal(c.kind, raw, theirs.raw) {
		return
	}
	if c.kind == RefreshTokens {
		raw = m.stamp(c, raw, theirs.raw)
	}
	s.put(theirs.key, raw)
}

// add stores c under its own key, where that isn't MSAL Go's, or, where the key
// holds another thing, under one beside it: no library finds entries by the key
// alone.
func (m *merger) add(c *change) {
	s := &m.theirs.sections[c.kind]
	raw := c.ours.raw
	if c.kind == RefreshTokens {
		raw = m.stamp(c, raw, nil)
	}
	key := m.removableKey(c)
	for !m.replaceable(c, key) {
		key += "-"
	}
	if pos, ok := s.find(key); !ok || !equal(c.kind, raw, s.entries[pos].raw) {
		s.put(key, raw)
	}
	pos, _ := s.find(key)
	m.claimed[c.kind][pos] = true
}

// replaceable reports whether c may be stored under a key: it is free, or
// holds what no library can read, or what ours has itself replaced.
func (m *merger) replaceable(c *change, key string) bool {
	s := &m.theirs.sections[c.kind]
	pos, ok := s.find(key)
	if !ok {
		return true
	}
	if m.claimed[c.kind][pos] {
		return false
	}
	_, known := identityOf(c.kind, s.entries[pos].raw)
	return !known || c.base != nil && c.base.key == key && m.unchanged(c, &s.entries[pos])
}
