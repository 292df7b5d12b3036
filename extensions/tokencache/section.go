package tokencache

import "bytes"

// kind is one of the sections of the unified cache.
type kind int

const (
	accessTokens kind = iota
	refreshTokens
	idTokens
	accounts
	appMetadata
	kinds
)

var sectionNames = [kinds]string{"AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"}

// kindOf returns the section of a top-level member.
func kindOf(name string) (kind, bool) {
	for k, known := range sectionNames {
		if name == known {
			return kind(k), true
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
	s.dirty = true
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
	s.dirty = true
	s.entries[i].gone = true
	delete(s.index, s.entries[i].key)
}

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
