package tokencache

import (
	"cmp"
	"slices"
	"strings"
)

// facts are the fields of an entry that say what it is about.
type facts struct {
	home, env, realm, client, family   string
	target, tokenType, extKey, asserts string
	ext, kind                          string // what MSAL.NET has for extKey: an object as written, and a type
}

// extended is the type of an access token of MSAL.NET that was issued for more
// than its other fields say.
const extended = "ATExt"

// identity is what two entries of one section must share to be the same, as
// package documentation lists it. Entries without one are known by key only.
type identity struct {
	person
	client, realm, scopes, tokenType, extKey, asserts string
}

// person is an account at a cloud, over all its tenants and clients.
type person struct{ home, cloud string }

// holder is the person and the application that a token was issued to.
type holder struct {
	person

	client string
}

// factsOf reads the fields that an identity is made of.
func factsOf(raw []byte) facts {
	var f facts
	for m := range fieldsOf(raw) {
		switch p := f.field(m.quoted); p {
		case nil:
		case &f.ext:
			if !m.empty() {
				f.ext = string(m.raw)
			}
		default:
			*p = unquote(m.raw)
		}
	}
	return f
}

func (f *facts) field(quoted []byte) *string {
	switch string(quoted) {
	case `"home_account_id"`:
		return &f.home
	case `"environment"`:
		return &f.env
	case `"realm"`:
		return &f.realm
	case `"client_id"`:
		return &f.client
	case `"family_id"`:
		return &f.family
	case `"target"`:
		return &f.target
	case `"token_type"`:
		return &f.tokenType
	case `"ext_cache_key"`:
		return &f.extKey
	case `"ext"`:
		return &f.ext
	case `"credential_type"`:
		return &f.kind
	case `"user_assertion_hash"`:
		return &f.asserts
	}
	return nil
}

func (f *facts) person() person {
	return person{home: strings.ToLower(f.home), cloud: cloud(f.env)}
}

func (f *facts) holder() holder {
	return holder{person: f.person(), client: strings.ToLower(f.client)}
}

// identity returns false for an entry that lacks what every library writes.
func (f *facts) identity(k Section) (identity, bool) {
	id := identity{person: f.person(), client: strings.ToLower(f.client)}
	switch k {
	case AccessTokens:
		id.realm, id.scopes, id.tokenType = strings.ToLower(f.realm), scopeSet(f.target), tokenType(f.tokenType)
		id.extKey, id.asserts = f.bound(), f.asserts
	case RefreshTokens:
		id.extKey, id.asserts = f.bound(), f.asserts
		if f.family != "" {
			// A client id can't hold a space, so the two never meet.
			id.client = "family " + f.family
		}
	case IDTokens:
		id.realm, id.asserts = strings.ToLower(f.realm), f.asserts
	case Accounts:
		id.client, id.realm = "", strings.ToLower(f.realm)
		return id, id.home != "" && id.cloud != ""
	case AppMetadata:
		id.home = ""
	}
	return id, id.cloud != "" && id.client != ""
}

// bound is what a token was issued for beyond its other fields.
func (f *facts) bound() string {
	if f.extKey == "" && f.ext == "" && strings.EqualFold(f.kind, extended) {
		return strings.ToLower(extended)
	}
	return strings.ToLower(cmp.Or(f.extKey, f.ext))
}

// identityOf returns the identity of an entry as written.
func identityOf(k Section, raw []byte) (identity, bool) {
	f := factsOf(raw)
	return f.identity(k)
}

// scopeSet makes a text of scopes comparable: Python sorts them, MSAL Go keeps
// the server's order.
func scopeSet(target string) string {
	scopes := strings.Fields(strings.ToLower(target))
	slices.Sort(scopes)
	return strings.Join(slices.Compact(scopes), " ")
}

// tokenType folds the ways to say bearer token: MSAL.NET writes none.
func tokenType(t string) string {
	if t == "" {
		return "bearer"
	}
	return strings.ToLower(t)
}
