package tokencache

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// lastModified is when a refresh token was stored. Only MSAL Python writes it,
// to try the newest first.
const lastModified = `"last_modification_time"`

// equal reports whether two entries mean the same. MSAL Go writes an entry
// that it read from another library with other bytes: members reordered, null
// and empty ones dropped, numbers of seconds as strings.
func equal(k Section, a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if a[0] != '{' || b[0] != '{' {
		return sameJSON(a, b)
	}
	return slices.EqualFunc(meaningful(k, a), meaningful(k, b), field.equal)
}

// meaningful returns the fields that say something, by name. The time stamp of
// a refresh token isn't one: it says when, not what, and MSAL Go loses it.
func meaningful(k Section, object []byte) []field {
	fields := make([]field, 0, 16)
	for f := range fieldsOf(object) {
		if f.empty() || k == RefreshTokens && string(f.quoted) == lastModified {
			continue
		}
		fields = append(fields, f)
	}
	slices.SortFunc(fields, func(a, b field) int { return bytes.Compare(a.quoted, b.quoted) })
	return fields
}

func (f field) equal(g field) bool {
	if !bytes.Equal(f.quoted, g.quoted) {
		return false
	}
	if bytes.Equal(f.raw, g.raw) {
		return true
	}
	if f.isTime() {
		t := seconds(f.raw)
		return t == seconds(g.raw) && (t != 0 || bytes.Equal(bytes.Trim(f.raw, `"`), bytes.Trim(g.raw, `"`)))
	}
	return sameJSON(f.raw, g.raw)
}

func (f field) isTime() bool {
	switch string(f.quoted) {
	case `"expires_on"`, `"extended_expires_on"`, `"ext_expires_on"`, `"cached_at"`, `"refresh_on"`, lastModified:
		return true
	}
	return false
}

// sameJSON compares two valid values, whatever their white space, escapes and
// order of members. Numbers are compared as doubles: that is what they are
// after MSAL Go has read them.
func sameJSON(a, b []byte) bool {
	if a[0] == '"' && b[0] == '"' {
		return unquote(a) == unquote(b)
	}
	return bytes.Equal(canonical(a), canonical(b))
}

func canonical(raw []byte) []byte {
	v := jsontext.Value(bytes.Clone(raw))
	// A number beyond a double has no canonical form; then the bytes must do.
	if v.Canonicalize(jsontext.AllowInvalidUTF8(true)) != nil {
		return raw
	}
	return v
}
