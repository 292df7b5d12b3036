package tokencache

import (
	"bytes"
	"strings"
)

// combine writes ours over theirs. MSAL Go builds an entry that it writes from
// scratch, so fields that other libraries added are taken from theirs, except
// in an access token, where they tell of a token that is no more.
func (c *change) combine(theirs []byte) []byte {
	if !c.known {
		return c.ours.raw
	}
	return overlay(c.ours.raw, theirs, c.kind != AccessTokens)
}

// overlay returns theirs with the fields of ours that say something. Those
// that a key is made of stay as theirs writes them, but for letter case: they
// mean the same, and MSAL Python computes the key again when it removes an
// entry. Keys are lower-cased, while MSAL Go finds a client id in the case that
// it writes. Without unite, other fields that only theirs has are dropped.
func overlay(ours, theirs []byte, unite bool) []byte {
	mine := map[string]field{}
	for f := range fieldsOf(ours) {
		mine[string(f.quoted)] = f
	}
	var out object
	for f := range fieldsOf(theirs) {
		o := mine[string(f.quoted)]
		delete(mine, string(f.quoted))
		switch {
		case f.inKey() && !f.empty() && !strings.EqualFold(unquote(f.raw), unquote(o.raw)):
			out.set(f)
		case !o.empty():
			out.set(o)
		case unite || f.inKey():
			out.set(f)
		}
	}
	for f := range fieldsOf(ours) {
		if _, left := mine[string(f.quoted)]; left && !f.empty() {
			out.set(f)
		}
	}
	return out.bytes()
}

// inKey reports whether keys of entries are made of the field.
func (f field) inKey() bool {
	switch string(f.quoted) {
	case `"home_account_id"`, `"environment"`, `"realm"`, `"client_id"`, `"target"`, `"credential_type"`, `"ext_cache_key"`:
		return true
	}
	return false
}

// withField returns an object with one field set. Name and value are written
// as they are, so the name is in quotes.
func withField(raw []byte, quoted, value string) []byte {
	var out object
	for f := range fieldsOf(raw) {
		if string(f.quoted) != quoted {
			out.set(f)
		}
	}
	out.set(field{[]byte(quoted), []byte(value)})
	return out.bytes()
}

// object writes a JSON object field by field.
type object struct{ buf bytes.Buffer }

func (o *object) set(f field) {
	if o.buf.Len() > 0 {
		o.buf.WriteByte(',')
	}
	o.buf.Write(f.quoted)
	o.buf.WriteByte(':')
	o.buf.Write(f.raw)
}

func (o *object) bytes() []byte { return append(append([]byte{'{'}, o.buf.Bytes()...), '}') }
