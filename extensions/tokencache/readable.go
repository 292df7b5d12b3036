package tokencache

import (
	"bytes"
	"strconv"
	"strings"
)

// Readable returns the part of a stored cache that MSAL Go can read, as JSON.
// It is what to give MSAL Go, and what to pass to Merge as base afterwards.
// One entry that MSAL Go can't decode makes it refuse the whole cache, and one
// without any known field makes it write invalid JSON; so they are left out,
// as are top-level members other than the five sections. Of refresh tokens
// that are the same but for their keys, the newest is given: MSAL Go would
// take any. Nothing is lost by that, because Merge leaves alone in the store
// what base and ours both lack.
//
// The result is data itself where nothing had to be left out. The error is
// that of Deserialize.
func Readable(data []byte) ([]byte, error) {
	var c TokenCache
	if err := c.Deserialize(data); err != nil {
		return nil, err
	}
	known := len(c.members)
	c.members = onlySections(c.members)
	for k := range kinds {
		for i, e := range c.sections[k].all {
			if !readable(e) {
				c.sections[k].drop(i)
			}
		}
	}
	c.dropOlderRefreshTokens()
	if len(c.members) == known && !c.dirty() {
		return bytes.TrimPrefix(data, byteOrderMark), nil
	}
	return c.rewrite(), nil
}

func onlySections(members []member) []member {
	kept := make([]member, 0, len(members))
	for _, m := range members {
		if m.known {
			kept = append(kept, m)
		}
	}
	return kept
}

// readable reports whether MSAL Go decodes an entry, and writes it back as
// valid JSON: it writes keys in Go's syntax, which is JSON's for printable
// characters only.
func readable(e *entry) bool {
	if strings.ContainsFunc(e.key, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return false
	}
	says := false
	for f := range fieldsOf(e.raw) {
		switch f.expects() {
		case expectsText:
			if f.raw[0] != '"' && f.raw[0] != 'n' {
				return false
			}
			says = says || !f.empty()
		case expectsTime:
			if _, err := strconv.Atoi(strings.Trim(string(f.raw), `"`)); err != nil {
				return false
			}
			says = true
		case expectsNothing:
			return false
		}
	}
	return says
}

type expectation int

const (
	expectsAny expectation = iota
	expectsText
	expectsTime
	expectsNothing // collides with the field of MSAL Go that holds unknown ones
)

// expects returns what MSAL Go takes for a field. A field that it knows in one
// section and not in another is held to the stricter rule; no library writes
// one with another type.
func (f field) expects() expectation {
	switch string(f.quoted) {
	case `"home_account_id"`, `"environment"`, `"realm"`, `"credential_type"`, `"client_id"`, `"secret"`,
		`"target"`, `"user_assertion_hash"`, `"token_type"`, `"keyid"`, `"ext_cache_key"`, `"family_id"`,
		`"local_account_id"`, `"authority_type"`, `"username"`, `"given_name"`, `"family_name"`,
		`"middle_name"`, `"name"`, `"alternative_account_id"`, `"client_info"`:
		return expectsText
	case `"refresh_on"`, `"expires_on"`, `"extended_expires_on"`, `"cached_at"`:
		return expectsTime
	case `"AdditionalFields"`:
		return expectsNothing
	}
	return expectsAny
}

// dropOlderRefreshTokens leaves the newest of each identity: the one with the
// latest time stamp, or the last of those in the document.
func (c *TokenCache) dropOlderRefreshTokens() {
	s := &c.sections[refreshTokens]
	newest := map[identity]int{}
	for i, e := range s.all {
		id, ok := identityOf(refreshTokens, e.raw)
		if !ok {
			continue
		}
		if j, dup := newest[id]; dup {
			older := j
			if modified(s.entries[j].raw) > modified(e.raw) {
				older = i
			}
			s.drop(older)
			if older == i {
				continue
			}
		}
		newest[id] = i
	}
}

func modified(raw []byte) int64 { return seconds(valueOf(raw, lastModified)) }
