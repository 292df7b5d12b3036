package tokencache

import "strconv"

// tokens are the refresh tokens of one identity.
type tokens struct {
	secrets map[string]bool
	newest  int64 // the latest of their dates, 0 where none is known
}

// removeSuperseded deletes the refresh tokens that ours has just replaced, and
// that theirs holds once more under other keys.
func (m *merger) removeSuperseded() {
	s := &m.theirs.sections[RefreshTokens]
	var written []*change
	started := map[identity]*tokens{}
	for i := range m.changes {
		if c := &m.changes[i]; c.kind == RefreshTokens && c.ours != nil && c.known {
			written, started[c.id] = append(written, c), &tokens{secrets: map[string]bool{}}
		}
	}
	if len(written) > 0 {
		m.fillStarted(started)
	}
	for _, c := range written {
		old := started[c.id]
		if old.secrets[secretOf(c.ours.raw)] {
			continue // the same token again: nothing was rotated
		}
		for _, pos := range m.find(RefreshTokens, c.id) {
			e := &s.entries[pos]
			if !e.gone && !m.claimed[RefreshTokens][pos] && old.supersedes(e.raw) {
				s.drop(pos)
			}
		}
	}
}

// supersedes reports whether a token is older than one that replaced those in
// t: it is one of them, or was stored before the newest of them, or says
// nothing of its age, so that nobody would ever find it old. One with a later
// date came from another process meanwhile, and is not judged.
func (t *tokens) supersedes(raw []byte) bool {
	return t.secrets[secretOf(raw)] || modified(raw) <= t.newest
}

// fillStarted fills in the refresh tokens that ours started from.
func (m *merger) fillStarted(started map[identity]*tokens) {
	dates := datesOf(&m.base)
	for _, e := range m.base.sections[RefreshTokens].all {
		id, ok := identityOf(RefreshTokens, e.raw)
		if t := started[id]; ok && t != nil {
			t.secrets[secretOf(e.raw)] = true
			t.newest = max(t.newest, dates.of(e.raw).at)
		}
	}
}

func secretOf(raw []byte) string { return unquote(valueOf(raw, `"secret"`)) }

// stamp dates a refresh token that is about to be stored, so that MSAL Python
// tries it before older ones. Python takes the clock; here it is the time at
// which the access tokens that came with it were cached, or just after the
// newest refresh token that it replaces: what counts is the order. Without any
// of these, the entry stays undated.
func (m *merger) stamp(c *change, raw, theirs []byte) []byte {
	if theirs != nil && secretOf(theirs) == secretOf(c.ours.raw) {
		return raw // not a new token
	}
	own := modified(raw)
	newest := max(own, m.cachedAt(c.holder()))
	for _, pos := range m.find(RefreshTokens, c.id) {
		e := &m.theirs.sections[RefreshTokens].entries[pos]
		if t := modified(e.raw); !e.gone && t >= newest && t > 0 {
			newest = t + 1
		}
	}
	if newest == own {
		return raw
	}
	return withField(raw, lastModified, `"`+strconv.FormatInt(newest, 10)+`"`)
}

// cachedAt returns when ours cached the newest access token that it added or
// changed for an account and client.
func (m *merger) cachedAt(h holder) int64 {
	if m.cached == nil {
		m.cached = map[holder]int64{}
		for _, c := range m.changes {
			if c.kind == AccessTokens && c.ours != nil {
				to := c.holder()
				m.cached[to] = max(m.cached[to], seconds(valueOf(c.ours.raw, `"cached_at"`)))
			}
		}
	}
	return m.cached[h]
}
