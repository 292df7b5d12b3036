package tokencache

import (
	"cmp"
	"slices"
	"strings"
)

// dropOutlived leaves out each access token in whose place another one serves
// that expires later: MSAL Go takes any of them, in the random order of a map,
// and refreshes where that one has expired. It would meet such a one again and
// again where somebody has consented to more scopes since: the answers to its
// refreshes have all of them, and so another key.
func (c *TokenCache) dropOutlived() {
	s := &c.sections[AccessTokens]
	all := map[use][]access{}
	for i, e := range s.all {
		if u, a, ok := accessOf(e.raw); ok {
			a.pos = i
			all[u] = append(all[u], a)
		}
	}
	for _, alike := range all {
		for _, pos := range outlived(alike) {
			s.drop(pos)
		}
	}
}

// use is what a request has to name to get an access token of MSAL Go's, but for
// the scopes. It compares the exact letters.
type use struct{ home, env, realm, client, tokenType, keyID, asserts string }

// access is an access token.
type access struct {
	pos             int
	scopes          []string // sorted, in lower case
	expires, cached int64
}

func (u *use) field(quoted []byte) *string {
	switch string(quoted) {
	case `"home_account_id"`:
		return &u.home
	case `"environment"`:
		return &u.env
	case `"realm"`:
		return &u.realm
	case `"client_id"`:
		return &u.client
	case `"token_type"`:
		return &u.tokenType
	case `"keyid"`:
		return &u.keyID
	case `"user_assertion_hash"`:
		return &u.asserts
	}
	return nil
}

// accessOf is false for a token that isn't to be compared: MSAL Go finds one with
// special parameters by its key, and one with a scope twice not at all.
func accessOf(raw []byte) (u use, a access, ok bool) {
	special := false
	for f := range fieldsOf(raw) {
		switch string(f.quoted) {
		case `"target"`:
			a.scopes = strings.Split(strings.ToLower(unquote(f.raw)), " ")
		case `"expires_on"`:
			a.expires = seconds(f.raw)
		case `"cached_at"`:
			a.cached = seconds(f.raw)
		case `"ext_cache_key"`:
			special = !f.empty()
		default:
			if text := u.field(f.quoted); text != nil {
				*text = unquote(f.raw)
			}
		}
	}
	slices.Sort(a.scopes)
	once := len(a.scopes) == len(slices.Compact(slices.Clone(a.scopes)))
	return u, a, once && len(a.scopes) > 0 && !special
}

// outlived returns where the tokens are that others serve for, longer and with
// no fewer scopes. Those were cached no earlier, since the date of a refresh
// token may rest on that.
func outlived(alike []access) (positions []int) {
	if len(alike) < 2 {
		return nil
	}
	slices.SortFunc(alike, func(a, b access) int { // each before those that it may outlive
		return cmp.Or(cmp.Compare(b.expires, a.expires), cmp.Compare(b.cached, a.cached),
			cmp.Compare(len(b.scopes), len(a.scopes)), cmp.Compare(b.pos, a.pos))
	})
	having := map[string][]access{} // those that stay, by scope
	for _, a := range alike {
		rarest := slices.MinFunc(a.scopes, func(s, t string) int { return cmp.Compare(len(having[s]), len(having[t])) })
		if slices.ContainsFunc(having[rarest], a.replaceableBy) {
			positions = append(positions, a.pos)
			continue
		}
		for _, scope := range a.scopes {
			having[scope] = append(having[scope], a)
		}
	}
	return positions
}

// replaceableBy reports whether a token that expires no earlier was also cached
// no earlier, and has all the scopes.
func (a access) replaceableBy(other access) bool {
	return other.cached >= a.cached && !slices.ContainsFunc(a.scopes, func(scope string) bool {
		_, has := slices.BinarySearch(other.scopes, scope)
		return !has
	})
}
