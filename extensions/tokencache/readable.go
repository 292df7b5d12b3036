package tokencache

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// Readable returns the part of a stored cache that MSAL Go can read, as JSON,
// and nil where nothing is stored. It is what to give MSAL Go, and what to pass
// to Merge as base afterwards.
//
// One entry that MSAL Go can't decode makes it refuse the whole cache, and one
// without any known field, or with a control character in a name, makes it
// write invalid JSON; so they are left out, as are top-level members other than
// the five sections. Of refresh tokens that are the same but for their keys,
// the newest is given: MSAL Go would take any. An access token is left out
// where another one serves for every request that it serves for, and expires
// later. Tokens with cache extensions that
// MSAL Go doesn't know are left out, since it would take them for ordinary ones.
// Nothing is lost by that, because Merge leaves alone in the store what base and
// ours both lack.
//
// Metadata of an application is added where there is a refresh token of it and
// none is stored: MSAL Go looks for a refresh token only behind that. Merge
// doesn't store it.
//
// Bytes behind the object, which a torn overwrite of a longer file leaves, are
// left out as well, so that people stay signed in. Deserialize and Merge refuse
// them: nothing is stored over what nobody has looked at.
//
// The result is part of data where no entry had to be left out. The error is
// that of Deserialize.
func Readable(data []byte) ([]byte, error) {
	c, data, err := readLeading(data)
	if err != nil {
		return nil, err
	}
	return c.readable(data), nil
}

// readable is what Readable returns for c, which was read from data.
func (c *TokenCache) readable(data []byte) []byte {
	if c.src == nil {
		return nil // MSAL Go takes nothing for an empty cache, but not white space
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
	c.dropOutlived()
	c.addAppMetadata()
	if len(c.members) == known && !c.dirty() {
		return bytes.TrimPrefix(data, byteOrderMark)
	}
	return c.rewrite()
}

// readLeading reads the object that data starts with, and returns data without
// what follows it.
func readLeading(data []byte) (TokenCache, []byte, error) {
	c, err := parse(data)
	e, malformed := errors.AsType[*SyntaxError](err)
	switch {
	case !malformed:
		return c, data, err
	case e.Reason == reasonTrailing:
		return c, data[:e.Offset], nil
	case e.Reason == reasonEncoding:
		// What is torn may end within a character.
		c, valid, perr := readLeading(data[:e.Offset])
		if perr == nil && c.src != nil {
			return c, valid, nil
		}
	}
	return TokenCache{}, nil, err
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
// valid JSON: it writes keys and the names of fields that it doesn't know in
// Go's syntax, which is JSON's for printable characters only.
//
// A token that was issued for more than MSAL Go compares isn't for it either:
// it would hand the token to a caller who asked for an ordinary one. MSAL.NET
// says so in "ext" and in the type, MSAL4J leaves the type alone of these; the
// others have a hash in "ext_cache_key", which MSAL Go does compare.
func readable(e *entry) bool {
	if !printable(e.key) {
		return false
	}
	says, bound, hashed := false, false, false
	for f := range fieldsOf(e.raw) {
		switch string(f.quoted) {
		case `"ext"`:
			bound = bound || !f.empty()
		case `"credential_type"`:
			bound = bound || strings.EqualFold(unquote(f.raw), extended)
		case `"ext_cache_key"`:
			hashed = !f.empty()
		}
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
		case expectsAny:
			if !printable(unquote(f.quoted)) {
				return false
			}
		}
	}
	return says && (hashed || !bound)
}

func printable(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) })
}

type expectation int

const (
	expectsAny expectation = iota
	expectsText
	expectsTime
	expectsNothing
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
	// MSAL Go takes these names, of the fields of its structs, for those of the
	// schema, and the last one counts: an entry would be another person's.
	case `"HomeAccountID"`, `"Environment"`, `"Realm"`, `"CredentialType"`, `"ClientID"`, `"Secret"`, `"Target"`,
		`"Scopes"`, `"UserAssertionHash"`, `"TokenType"`, `"AuthnSchemeKeyID"`, `"ExtCacheKey"`, `"FamilyID"`,
		`"LocalAccountID"`, `"AuthorityType"`, `"PreferredUsername"`, `"GivenName"`, `"FamilyName"`, `"MiddleName"`,
		`"Name"`, `"AlternativeID"`, `"RawClientInfo"`, `"RefreshOn"`, `"ExpiresOn"`, `"ExtendedExpiresOn"`,
		`"CachedAt"`, `"AdditionalFields"`:
		return expectsNothing
	}
	return expectsAny
}
