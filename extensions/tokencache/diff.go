package tokencache

import (
	"cmp"
	"slices"
)

// change is what ours did to one entry since base.
type change struct {
	kind Section
	base *entry // nil: added
	ours *entry // nil: deleted
	facts
	id    identity
	known bool // id is one
}

func newChange(k Section, base, ours *entry) change {
	c := change{kind: k, base: base, ours: ours}
	c.facts = factsOf(cmp.Or(ours, base).raw)
	c.id, c.known = c.identity(k)
	return c
}

// diff notes what changed in one section.
func (m *merger) diff(k Section) {
	base, ours := &m.base.sections[k], &m.ours.sections[k]
	var changes, added []change
	for _, o := range ours.all {
		i, ok := base.find(o.key)
		switch {
		case !ok:
			added = append(added, newChange(k, nil, o))
		case !equal(k, base.entries[i].raw, o.raw):
			changes = append(changes, newChange(k, &base.entries[i], o))
		default:
			m.keep(k, &base.entries[i], o)
		}
	}
	deleted := deletions(k, base, ours)
	// MSAL Go writes entries in random order; the result must not depend on it.
	slices.SortFunc(added, change.compare)
	for _, c := range added {
		if c, differs := m.renamed(c, deleted); differs {
			changes = append(changes, c)
		}
	}
	for _, same := range deleted {
		changes = append(changes, same...)
	}
	slices.SortFunc(changes, change.compare)
	m.changes = append(m.changes, changes...)
}

// deletions returns the entries of base that ours lacks. An entry without an
// identity isn't one: no library could read it, so none removed it.
func deletions(k Section, base, ours *section) map[identity][]change {
	deleted := map[identity][]change{}
	for _, b := range base.all {
		if _, ok := ours.find(b.key); ok {
			continue
		}
		if c := newChange(k, b, nil); c.known {
			deleted[c.id] = append(deleted[c.id], c)
		}
	}
	for _, same := range deleted {
		slices.SortFunc(same, change.compare)
	}
	return deleted
}

// renamed finds out whether an added entry is one of the deleted ones under
// another key: MSAL Go gives entries with a key of an older form a new one.
func (m *merger) renamed(c change, deleted map[identity][]change) (change, bool) {
	same := deleted[c.id]
	if !c.known || len(same) == 0 {
		return c, true
	}
	c.base, deleted[c.id] = same[0].base, same[1:]
	if equal(c.kind, c.base.raw, c.ours.raw) {
		m.keep(c.kind, c.base, c.ours)
		return c, false
	}
	return c, true
}

// keep notes an unchanged entry for restore.
func (m *merger) keep(k Section, base, ours *entry) {
	if k == AccessTokens || m.op == OpSilent {
		return
	}
	if _, ok := m.theirs.sections[k].find(base.key); !ok {
		m.kept = append(m.kept, change{kind: k, base: base, ours: ours})
	}
}

// compare orders changes by key.
func (c change) compare(d change) int {
	return cmp.Compare(cmp.Or(c.ours, c.base).key, cmp.Or(d.ours, d.base).key)
}
