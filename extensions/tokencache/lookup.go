package tokencache

import (
	"hash/maphash"
	"slices"
	"strings"
)

// shape says which terms a query names.
type shape uint8

const (
	byHome shape = 1 << iota
	byEnvironment
	byCloud // the environment and its aliases
	byClient
	byRealm
	byFamily
	byUsername
	byScope
)

// terms are values that entries are found by, in lower case. Those that a
// shape doesn't name are empty.
type terms struct {
	home, env, client, realm, family, username, scope string
}

// lookups find the positions of entries, for each shape that was asked for. So
// the time that a search takes grows with what it finds, and not with what is
// stored, whichever fields the entries share. Hashes of terms take a quarter of
// the memory of the terms; what a lookup finds may be something else.
type lookups map[shape]map[uint64][]int32

// maxLookups bounds the memory of a program that asks in many ways.
const maxLookups = 16

var seed = maphash.MakeSeed()

// lookup returns where the entries with terms t are, in the order of the
// document, and perhaps others among them.
func (s *section) lookup(by shape, t terms) []int32 {
	found, ok := s.lookups[by]
	if !ok {
		if len(s.lookups) >= maxLookups || s.lookups == nil {
			s.lookups = lookups{}
		}
		found = s.indexed(by)
		s.lookups[by] = found
	}
	return found[maphash.Comparable(seed, t)]
}

func (s *section) indexed(by shape) map[uint64][]int32 {
	found := make(map[uint64][]int32, len(s.entries))
	for i, e := range s.all {
		t := traitsOf(by, e.raw)
		scopes := []string{""}
		if by&byScope != 0 {
			scopes = scopesOf(t.target)
		}
		for _, t.scope = range scopes {
			h := maphash.Comparable(seed, t.terms)
			found[h] = append(found[h], int32(i))
		}
	}
	return found
}

// traits are what a search needs to know of an entry.
type traits struct {
	terms

	target          string // in lower case
	expires, extKey []byte // as written
}

// traitsOf returns the terms of an entry, but for its scopes, and the rest.
func traitsOf(by shape, raw []byte) (t traits) {
	for f := range fieldsOf(raw) {
		switch string(f.quoted) {
		case `"home_account_id"`:
			t.home = by.term(byHome, f)
		case `"environment"`:
			t.env = by.term(byEnvironment|byCloud, f)
		case `"client_id"`:
			t.client = by.term(byClient, f)
		case `"realm"`:
			t.realm = by.term(byRealm, f)
		case `"family_id"`:
			t.family = by.term(byFamily, f)
		case `"username"`:
			t.username = by.term(byUsername, f)
		case `"target"`:
			t.target = by.term(byScope, f)
		case `"expires_on"`:
			t.expires = f.raw
		case `"ext_cache_key"`:
			t.extKey = f.raw
		}
	}
	if by&byCloud != 0 {
		t.env = cloud(t.env)
	}
	return t
}

func (by shape) term(named shape, f field) string {
	if by&named == 0 {
		return ""
	}
	return strings.ToLower(unquote(f.raw))
}

// scopesOf returns the scopes in a text in lower case, each once.
func scopesOf(target string) []string {
	scopes := strings.Fields(target)
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// holds reports whether a target has all the scopes.
func holds(target string, scopes []string) bool {
	for _, scope := range scopes {
		found := false
		for s := range strings.FieldsSeq(target) {
			found = found || s == scope
		}
		if !found {
			return false
		}
	}
	return true
}
