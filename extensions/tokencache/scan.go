package tokencache

import (
	"bytes"
	"unicode/utf8"
)

// field is one member of an entry.
type field struct {
	quoted []byte // the name, in the one form that appendQuoted gives it
	raw    []byte // the value as written
}

// empty reports whether the value says nothing: MSAL Go drops such a field
// when it reads a cache, so they can't be told from an absent one.
func (f field) empty() bool {
	return len(f.raw) == 0 || f.raw[0] == 'n' || string(f.raw) == `""`
}

// fieldsOf yields the members of an object that is known to be valid JSON,
// and nothing for any other value. It knows no errors because the parser has
// checked the whole document; that makes it several times faster than a
// decoder, which matters where an identity is looked for among all entries.
func fieldsOf(object []byte) func(yield func(field) bool) {
	return func(yield func(field) bool) {
		if len(object) == 0 || object[0] != '{' {
			return
		}
		for i := skipSpace(object, 1); object[i] != '}'; {
			nameEnd := skipString(object, i)
			start := skipSpace(object, skipSpace(object, nameEnd)+1)
			end := skipValue(object, start)
			if !yield(field{quoted: sameName(object[i:nameEnd]), raw: object[start:end]}) {
				return
			}
			i = skipSpace(object, end)
			if object[i] == ',' {
				i = skipSpace(object, i+1)
			}
		}
	}
}

// sameName makes names comparable as bytes. Nearly all are already.
func sameName(quoted []byte) []byte {
	for _, c := range quoted {
		if c == '\\' || c >= utf8.RuneSelf {
			return appendQuoted(nil, unquote(quoted))
		}
	}
	return quoted
}

func skipSpace(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r' {
		i++
	}
	return i
}

// skipString returns the position after the string that starts at i.
func skipString(b []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(b[i:], '"')
		slashes := 0
		for b[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
}

// skipValue returns the position after the value that starts at i.
func skipValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for i < len(b) && !endsLiteral(b[i]) {
		i++
	}
	return i
}

func skipNested(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
}

func endsLiteral(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}
