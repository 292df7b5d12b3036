package tokencache

import "slices"

// TokenCache is a parsed cache of the unified MSAL format. The zero value is
// an empty cache, ready to use. It is not safe for concurrent use, not even by
// readers only, because it indexes its entries when they are first looked up.
type TokenCache struct {
	src      []byte // as read, without a byte order mark
	members  []member
	sections [kinds]section
	tail     []byte // white space before the last brace
	changed  bool   // since Deserialize or Serialize
	onChange []func()
}

// member is a member of the top-level object.
type member struct {
	entry

	kind  Section // where known
	known bool
}

// Deserialize replaces what c holds by the cache in data. Nil, nothing and
// white space are an empty cache, and a byte order mark is ignored. On an
// error, a *SyntaxError that wraps ErrMalformed, c stays as it was: invalid
// JSON, a name used twice in one object, bytes that aren't UTF-8, anything
// after the object, or a section that isn't an object. Entries are not
// judged: one that no library can read is kept.
//
// The cache refers to data, so the caller must not modify it afterwards.
func (c *TokenCache) Deserialize(data []byte) error {
	parsed, err := parse(data)
	if err != nil {
		return err
	}
	parsed.onChange = c.onChange
	*c = parsed
	return nil
}

// Serialize returns the cache as JSON, in memory of its own. It is always a
// valid JSON object; an empty cache is {}. What wasn't changed since
// Deserialize is written as it was read, without the byte order mark.
func (c *TokenCache) Serialize() []byte { return c.AppendSerialized(nil) }

// AppendSerialized appends what Serialize returns to dst, for programs that
// write often and have memory at hand. It must not be memory that the cache or
// an entry refers to.
func (c *TokenCache) AppendSerialized(dst []byte) []byte {
	c.changed = false
	switch {
	case c.dirty():
		return c.appendParts(dst)
	case c.src == nil:
		return append(dst, "{}"...)
	}
	return append(dst, c.src...)
}

// rewrite puts the document together from its parts.
func (c *TokenCache) rewrite() []byte { return c.appendParts(nil) }

func (c *TokenCache) appendParts(out []byte) []byte {
	out = append(slices.Grow(out, c.size()), '{')
	start := len(out)
	var written [kinds]bool
	for i := range c.members {
		out = c.appendMember(out, start, &c.members[i])
		if c.members[i].known {
			written[c.members[i].kind] = true
		}
	}
	for k := range c.sections {
		if !written[k] && c.sections[k].dirty {
			m := member{kind: Section(k), known: true}
			m.lead = append(appendQuoted(nil, sectionNames[k]), ':')
			out = c.appendMember(out, start, &m)
		}
	}
	return append(append(out, c.tail...), '}')
}

// appendMember continues the members that begin at start.
func (c *TokenCache) appendMember(out []byte, start int, m *member) []byte {
	if len(out) > start {
		out = append(out, ',')
	}
	out = append(out, m.lead...)
	if m.known && c.sections[m.kind].dirty {
		return c.sections[m.kind].appendTo(out)
	}
	return append(out, m.raw...)
}

// dirty reports whether anything was changed since Deserialize.
func (c *TokenCache) dirty() bool {
	for k := range c.sections {
		if c.sections[k].dirty {
			return true
		}
	}
	return false
}

// size estimates the length of Serialize's result from above.
func (c *TokenCache) size() int {
	n := len(c.tail) + 2
	for _, m := range c.members {
		n += len(m.lead) + 1
		if !m.known {
			n += len(m.raw)
		}
	}
	for k := range c.sections {
		n += len(sectionNames[k]) + 4 + c.sections[k].size()
	}
	return n
}
