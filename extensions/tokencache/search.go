package tokencache

// Search returns the entries that q asks for, in the order of the document,
// and nil where there are none. It changes nothing: where MSAL Python's search
// deletes access tokens that have expired, this one leaves them out.
//
// The first search in a section, and the first that names other fields than
// those before, reads the section once; from then on a search is a lookup,
// until an entry of the section changes. A query that names none of the fields
// of Query but Fields, or nothing at all, goes through the whole section.
//
// It is search (and find) of MSAL Python's TokenCache.
func (c *TokenCache) Search(q Query) []Entry {
	if q.Section < 0 || q.Section >= kinds {
		return nil
	}
	s := q.search()
	section := &c.sections[q.Section]
	var all []Entry
	if s.by != 0 {
		for _, i := range section.candidates(&s) {
			if e := &section.entries[i]; s.matches(e.raw) {
				all = append(all, e.found(q.Section))
			}
		}
		return all
	}
	for _, e := range section.all {
		if s.matches(e.raw) {
			all = append(all, e.found(q.Section))
		}
	}
	return all
}

// candidates returns where the entries are that have the terms, and one of the
// scopes: the one that the fewest have.
func (s *section) candidates(q *search) []int32 {
	t := q.terms
	if len(q.scopes) == 0 {
		return s.lookup(q.by, t)
	}
	var fewest []int32
	for i, scope := range q.scopes {
		t.scope = scope
		if found := s.lookup(q.by, t); i == 0 || len(found) < len(fewest) {
			fewest = found
		}
	}
	return fewest
}
