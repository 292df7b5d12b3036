package tokencache

import "slices"

// dropSignedOut forgets what a silent refresh brings for accounts that theirs
// no longer holds: somebody signed them out while the refresh was under way,
// and keeping the tokens would sign them in again. A token for the application
// itself has no account, and is never dropped.
func (m *merger) dropSignedOut() {
	gone := m.strangers()
	m.changes = slices.DeleteFunc(m.changes, func(c change) bool { return gone[c.person()] != nil })
}

// strangers returns the accounts that ours writes tokens for and theirs
// doesn't know: it has neither their Account nor a refresh token that the
// clients which write could use. A refresh token of another application
// doesn't count, because a sign-out leaves it.
func (m *merger) strangers() writers {
	writers := m.writers()
	for _, e := range m.theirs.sections[Accounts].all {
		f := factsOf(e.raw)
		delete(writers, f.person())
	}
	if len(writers) > 0 {
		for _, e := range m.theirs.sections[RefreshTokens].all {
			f := factsOf(e.raw)
			h := f.holder()
			clients := writers[h.person]
			if f.family != "" || len(clients) == 0 || clients[h.client] {
				delete(writers, h.person)
			}
		}
	}
	return writers
}

// writers are accounts, and the clients that wrote entries of them.
type writers map[person]map[string]bool

// writers returns the accounts that ours added or changed entries of.
func (m *merger) writers() writers {
	all := writers{}
	for _, c := range m.changes {
		if c.ours == nil || c.home == "" {
			continue
		}
		h := c.holder()
		if all[h.person] == nil {
			all[h.person] = map[string]bool{}
		}
		if h.client != "" {
			all[h.person][h.client] = true
		}
	}
	return all
}

// apps returns the clients alone, each with its cloud.
func (w writers) apps() map[holder]bool {
	apps := map[holder]bool{}
	for p, clients := range w {
		for client := range clients {
			apps[holder{person{cloud: p.cloud}, client}] = true
		}
	}
	return apps
}

// restore makes a sign-in whole that won over a sign-out elsewhere. What the
// sign-in wrote again with the same contents looks untouched, so the merge
// would leave it deleted: tokens without their account, which no library finds.
func (m *merger) restore() {
	if len(m.kept) == 0 {
		return
	}
	writers := m.writers()
	apps := writers.apps()
	written := m.written()
	for _, c := range m.kept {
		c = newChange(c.kind, c.base, c.ours)
		h := c.holder()
		belongs := writers[h.person][h.client] || apps[holder{c.id.person, h.client}]
		if c.kind == Accounts || c.family != "" {
			belongs = belongs || writers[h.person] != nil
		}
		if c.known && belongs && !written[c.kind][c.id] && len(m.find(c.kind, c.id)) == 0 {
			m.changes = append(m.changes, c)
		}
	}
}

// written returns what ours added or changed.
func (m *merger) written() (written [kinds]map[identity]bool) {
	for k := range written {
		written[k] = map[identity]bool{}
	}
	for _, c := range m.changes {
		if c.ours != nil {
			written[c.kind][c.id] = true
		}
	}
	return written
}
