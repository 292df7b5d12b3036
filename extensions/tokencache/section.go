package tokencache

import (
	"bytes"
	"fmt"
)

// Section is one of the sections of the unified cache.
type Section int

// The sections, in the order in which the MSAL libraries write them.
const (
	AccessTokens Section = iota
	RefreshTokens
	IDTokens
	Accounts
	AppMetadata
	kinds
)

var sectionNames = [kinds]string{"AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"}

// String returns the section's name in the JSON: "AccessToken", "RefreshToken",
// "IdToken", "Account" or "AppMetadata".
func (k Section) String() string {
	if k < 0 || k >= kinds {
		return fmt.Sprintf("Section(%d)", int(k))
	}
	return sectionNames[k]
}

// kindOf returns the section of a top-level member.
func kindOf(name string) (Section, bool) {
	for k, known := range sectionNames {
		if name == known {
			return Section(k), true
		}
	}
	return 0, false
}

// entry is one member of a section.
type entry struct {
	key  string
	lead []byte // as written: white space, quoted key, colon, white space
	raw  []byte // the value as written
	gone bool
}

// section is the entries of one kind, in the order of the document.
type section struct {
	entries []entry
	index   map[string]int // from key to position, without those gone
	lookups lookups        // by fields, see search; empty after a change
	tail    []byte         // white space before the closing brace
	dirty   bool
}

// find returns the position of a key.
func (s *section) find(key string) (int, bool) {
	if s.index == nil {
		s.index = make(map[string]int, len(s.entries))
		for i := range s.entries {
			if !s.entries[i].gone {
				s.index[s.entries[i].key] = i
			}
		}
	}
	i, ok := s.index[key]
	return i, ok
}

// put stores raw under key, in place where the key exists.
func (s *section) put(key string, raw []byte) {
	s.touch()
	raw = appendASCII(nil, raw)
	if i, ok := s.find(key); ok {
		s.entries[i].raw = raw
		return
	}
	lead := append(appendQuoted(nil, key), ':')
	s.index[key] = len(s.entries)
	s.entries = append(s.entries, entry{key: key, lead: lead, raw: raw})
}

// drop removes the entry at position i.
func (s *section) drop(i int) {
	s.find(s.entries[i].key)
	s.touch()
	s.entries[i].gone = true
	delete(s.index, s.entries[i].key)
}

// touch notes that entries are about to change.
func (s *section) touch() { s.dirty, s.lookups = true, nil }

// all yields the position of every entry that is there.
func (s *section) all(yield func(int, *entry) bool) {
	for i := range s.entries {
		if !s.entries[i].gone && !yield(i, &s.entries[i]) {
			return
		}
	}
}

// appendTo writes the section, each kept entry as it was.
func (s *section) appendTo(dst []byte) []byte {
	dst = append(dst, '{')
	first := true
	for _, e := range s.all {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, e.lead...), e.raw...)
	}
	return append(append(dst, s.tail...), '}')
}

// size is an upper bound of what appendTo writes.
func (s *section) size() int {
	n := len(s.tail) + 2
	for _, e := range s.all {
		n += len(e.lead) + len(e.raw) + 1
	}
	return n
}

// skipComma drops the white space and the comma that follow a value.
func skipComma(lead []byte) []byte {
	return lead[bytes.IndexByte(lead, ',')+1:]
}
