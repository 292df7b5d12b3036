package tokencache

import (
	"bytes"
	"cmp"
	"encoding/base64"

	"github.com/go-json-experiment/json/jsontext"
)

// theirsWins reports whether theirs is to stay where ours and others changed
// the same entry. What others didn't change gives way to ours, always; where
// nobody knows what the entry is, theirs isn't touched.
func (m *merger) theirsWins(c *change, theirs *entry) bool {
	if m.unchanged(c, theirs) {
		return false
	}
	if !c.known {
		return true
	}
	switch c.kind {
	case AccessTokens:
		return laterToken(theirs.raw, c.ours.raw)
	case IDTokens:
		return issuedAt(theirs.raw) > issuedAt(c.ours.raw)
	}
	return false
}

// unchanged reports whether theirs is what base held.
func (m *merger) unchanged(c *change, theirs *entry) bool {
	if c.base != nil && equal(c.kind, c.base.raw, theirs.raw) {
		return true
	}
	s := &m.base.sections[c.kind]
	pos, ok := s.find(theirs.key)
	return ok && equal(c.kind, s.entries[pos].raw, theirs.raw)
}

// laterToken reports whether access token a outlives b, or was cached later
// where both expire at once.
func laterToken(a, b []byte) bool {
	by := func(name string) int {
		return cmp.Compare(seconds(valueOf(a, name)), seconds(valueOf(b, name)))
	}
	return cmp.Or(by(`"expires_on"`), by(`"cached_at"`)) > 0
}

// issuedAt reads the iat claim of an ID token, 0 where there is none. The
// token's signature doesn't matter here: whoever can write the cache needs no
// forged time to replace an entry.
func issuedAt(raw []byte) int64 {
	parts := bytes.Split([]byte(unquote(valueOf(raw, `"secret"`))), []byte("."))
	if len(parts) < 2 {
		return 0
	}
	claims, err := base64.RawURLEncoding.AppendDecode(nil, bytes.TrimRight(parts[1], "="))
	if err != nil || !jsontext.Value(claims).IsValid() {
		return 0
	}
	return seconds(valueOf(bytes.TrimSpace(claims), `"iat"`))
}

// valueOf returns the value of one field, named in quotes, as written. It is
// nil where the field is absent.
func valueOf(object []byte, quoted string) []byte {
	for f := range fieldsOf(object) {
		if string(f.quoted) == quoted {
			return f.raw
		}
	}
	return nil
}
