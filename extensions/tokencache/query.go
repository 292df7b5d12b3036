package tokencache

import (
	"strings"
	"time"
)

// Query says what Search looks for: the entries of one section that agree with
// all that is set here. What is empty isn't asked about.
//
// Letter case counts in Fields alone: keys are lower-cased, and an entry of
// one library may differ in case from that of another.
type Query struct {
	Section Section // the zero value is AccessTokens

	// Scopes must all be in the entry's target, in any order, beside others.
	Scopes []string

	HomeAccountID string
	Environment   string // host of the authority
	// Aliases takes Environment for its whole cloud: login.windows.net is
	// login.microsoftonline.com then. MSAL Python searches each alias by itself.
	Aliases  bool
	ClientID string
	Realm    string // tenant
	FamilyID string
	Username string // of an Account

	// Fields are further fields, by their names in the JSON, and what they
	// must be: the text of a string, or a number as written. "" asks for
	// entries without the field: with home_account_id, for the tokens of the
	// application itself. Search is a lookup for the fields above, also if
	// they are named here.
	Fields map[string]string

	// Now leaves out the access tokens that have expired by then, and those
	// that don't say when they expire. The zero time keeps them.
	Now time.Time
}

// search is a query, taken apart.
type search struct {
	*Query

	by     shape
	terms  terms
	scopes []string
}

func (q *Query) search() search {
	s := search{Query: q, scopes: scopesIn(q.Scopes)}
	s.terms.home = s.name(byHome, q.HomeAccountID, "home_account_id")
	s.terms.client = s.name(byClient, q.ClientID, "client_id")
	s.terms.realm = s.name(byRealm, q.Realm, "realm")
	s.terms.family = s.name(byFamily, q.FamilyID, "family_id")
	s.terms.username = s.name(byUsername, q.Username, "username")
	if q.Aliases {
		s.terms.env = cloud(s.name(byCloud, q.Environment, "environment"))
	} else {
		s.terms.env = s.name(byEnvironment, q.Environment, "environment")
	}
	if len(s.scopes) > 0 {
		s.by |= byScope
	}
	return s
}

// name notes what a term must be, if the query says so.
func (s *search) name(what shape, given, field string) string {
	text, named := s.Fields[field]
	if given != "" {
		text, named = given, true
	}
	if named {
		s.by |= what
	}
	return strings.ToLower(text)
}

// scopesIn takes a list apart: an element may hold several scopes.
func scopesIn(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return scopesOf(strings.ToLower(strings.Join(list, " ")))
}

// matches reports whether an entry is what is asked for.
func (s *search) matches(raw []byte) bool {
	if len(raw) == 0 || raw[0] != '{' {
		return false
	}
	t := traitsOf(s.by, raw)
	if t.terms != s.terms || !holds(t.target, s.scopes) || s.Section == AccessTokens && !s.usable(&t) {
		return false
	}
	for name, want := range s.Fields {
		if text(valueOf(raw, string(appendQuoted(nil, name)))) != want {
			return false
		}
	}
	return true
}

// usable applies MSAL Python's two rules for access tokens: one that has
// expired isn't found, and one for requests with special parameters only by
// who asks for those.
func (s *search) usable(t *traits) bool {
	if !s.Now.IsZero() && seconds(t.expires) < s.Now.Unix() {
		return false
	}
	_, asked := s.Fields["ext_cache_key"]
	return asked || text(t.extKey) == ""
}
