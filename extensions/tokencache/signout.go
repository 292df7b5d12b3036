package tokencache

import "slices"

// signOut finds the accounts that ours removed, deletes everything of them in
// theirs, also what others rotated or added since base, and forgets the
// changes that concern them. An account is removed when its Account entry is
// gone: MSAL Go deletes one in no other case, and deletes only those of one
// alias of the host.
func (m *merger) signOut() {
	out := m.signedOut()
	if len(out) == 0 {
		return
	}
	own := m.ownClients(out)
	for k := range AppMetadata {
		for i, e := range m.theirs.sections[k].all {
			f := factsOf(e.raw)
			_, ok := out[f.person()]
			if ok && (k != RefreshTokens || f.family != "" || own(f.holder())) {
				m.theirs.sections[k].drop(i)
			}
		}
	}
	m.changes = slices.DeleteFunc(m.changes, func(c change) bool {
		_, ok := out[c.person()]
		return ok && c.kind != AppMetadata
	})
}

// signedOut returns the removed accounts, each with its environment as it was
// written. An account that ours also wrote is not one.
func (m *merger) signedOut() map[person]string {
	out := map[person]string{}
	for _, c := range m.changes {
		if c.kind == Accounts && c.ours == nil {
			out[c.person()] = c.env
		}
	}
	for _, c := range m.changes {
		if c.kind == Accounts && c.ours != nil {
			delete(out, c.person())
		}
	}
	return out
}

// ownClients returns whose refresh tokens the sign-outs concern. MSAL leaves
// those of other applications in a shared cache. Which one signed out isn't
// said; it is the client whose tokens are gone. If none are, it is any client
// seen whose token didn't outlive the sign-out.
func (m *merger) ownClients(out map[person]string) func(holder) bool {
	gone, some := map[holder]bool{}, map[person]bool{}
	for _, c := range m.changes {
		if c.kind == RefreshTokens && c.ours == nil && c.family == "" {
			gone[c.holder()], some[c.person()] = true, true
		}
	}
	outlived := map[holder]bool{}
	for _, e := range m.ours.sections[RefreshTokens].all {
		f := factsOf(e.raw)
		if env, ok := out[f.person()]; ok && env == f.env && f.family == "" {
			outlived[f.holder()] = true
		}
	}
	seen := m.clientsSeen()
	return func(h holder) bool {
		if some[h.person] {
			return gone[h]
		}
		return seen[h.client] && !outlived[h]
	}
}

// clientsSeen returns the client ids of all entries of base and ours.
func (m *merger) clientsSeen() map[string]bool {
	seen := map[string]bool{}
	for _, c := range []*TokenCache{&m.base, &m.ours} {
		for k := range c.sections {
			for _, e := range c.sections[k].all {
				f := factsOf(e.raw)
				seen[f.holder().client] = true
			}
		}
	}
	return seen
}
