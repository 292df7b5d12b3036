package tokencache

import (
	"slices"
	"strings"
)

// ReadableFor is [Readable] with the tokens of some people alone, given by
// their home account ids: the time that MSAL Go takes to read a cache, and to
// find something in it, grows with what it is given. All accounts stay, and so
// do application metadata and the tokens that belong to nobody, which are those
// of applications.
//
// complete tells that something is stored for each of people. Where it isn't,
// a name may be something else than a home account id, and Readable is what to
// give.
func ReadableFor(data []byte, people ...string) (out []byte, complete bool, err error) {
	c, data, err := readLeading(data)
	if err != nil {
		return nil, false, err
	}
	found := make([]bool, len(people))
	for k := range kinds {
		c.sections[k].keep(func(e *entry) bool {
			home := unquote(valueOf(e.raw, `"home_account_id"`))
			i := slices.IndexFunc(people, func(p string) bool { return strings.EqualFold(p, home) })
			if i >= 0 {
				found[i] = true
			}
			return i >= 0 || home == "" || k >= Accounts
		})
	}
	return c.readable(data), !slices.Contains(found, false), nil
}

// keep drops the entries that want refuses. Nobody has looked anything up yet.
func (s *section) keep(want func(*entry) bool) {
	n := len(s.entries)
	s.entries = slices.DeleteFunc(s.entries, func(e entry) bool { return !want(&e) })
	s.dirty = s.dirty || len(s.entries) < n
}
