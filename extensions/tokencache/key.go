package tokencache

import (
	"cmp"
	"strings"
)

// keyOf returns the key that MSAL Python computes for an entry
// (TokenCache.key_makers). The other libraries find entries by their fields,
// and MSAL.NET builds the same keys for refresh tokens without a target and
// for ID tokens; but Python removes an entry by this key alone.
func keyOf(k Section, f *facts) string {
	var parts []string
	switch k {
	case AccessTokens:
		parts = []string{f.home, f.env, "accesstoken", f.client, f.realm, f.target}
		if f.extKey != "" {
			parts[2] = "atext"
			parts = append(parts, f.extKey)
		}
	case RefreshTokens:
		parts = []string{f.home, f.env, "refreshtoken", f.client, "", f.target}
	case IDTokens:
		parts = []string{f.home, f.env, "idtoken", f.client, f.realm, ""}
	case Accounts:
		parts = []string{f.home, f.env, f.realm}
	default:
		// Python looks this one up by key, and doesn't lower-case it.
		return "appmetadata-" + f.env + "-" + f.client
	}
	return strings.ToLower(strings.Join(parts, "-"))
}

// removableKey returns the key to store a new entry under: its own, but MSAL
// Python's where its own is MSAL Go's for a refresh token or an ID token. Python
// finds entries under Go's keys and can't remove them, so a sign-out there
// would leave the refresh token behind. MSAL Go doesn't mind. Where ours holds
// something under Python's key, that goes there.
func (m *merger) removableKey(c *change) string {
	if !c.known || c.ours.key != keyByGo(c) {
		return c.ours.key
	}
	key := keyOf(c.kind, &c.facts)
	if _, held := m.ours.sections[c.kind].find(key); held {
		return c.ours.key
	}
	return key
}

// keyByGo returns the key that MSAL Go computes, where Python's is another.
func keyByGo(c *change) string {
	switch c.kind {
	case RefreshTokens:
		return strings.ToLower(strings.Join([]string{c.home, c.env, "refreshtoken", cmp.Or(c.family, c.client)}, "-"))
	case IDTokens:
		return strings.ToLower(strings.Join([]string{c.home, c.env, "idtoken", c.client, c.realm}, "-"))
	}
	return ""
}
