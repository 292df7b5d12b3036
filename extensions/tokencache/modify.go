package tokencache

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Modify sets fields of an entry that Search found, in the cache as it is now:
// what others changed in it meanwhile stays. changes maps names in the JSON to
// values:
//
//   - a string, or a bool;
//   - a time.Time, an int or an int64, written as the schema wants times: a
//     string of decimal digits, for a time those of its seconds since 1970;
//   - JSON as json.RawMessage, for fields that the schema doesn't know;
//   - nil, which removes the field.
//
// Modify returns the entry as it is then. ErrNotFound: the entry is gone, or
// another one has its key. ErrInvalid: a value is of another type or isn't
// JSON, a field of the schema would get what MSAL Go can't read, or the entry
// would become another one (see the package documentation for what makes its
// identity); remove it and add another instead. The cache is as it was then.
//
// It is modify, and update_rt, of MSAL Python's TokenCache. Python stores an
// entry that is gone anew.
func (c *TokenCache) Modify(e Entry, changes map[string]any) (Entry, error) {
	pos, ok := c.position(e)
	if !ok {
		return Entry{}, ErrNotFound
	}
	s := &c.sections[e.Section()]
	stored := &s.entries[pos]
	raw, err := withChanges(stored.raw, changes)
	if err != nil {
		return Entry{}, err
	}
	if !sameIdentity(e.Section(), stored.raw, raw) {
		return Entry{}, invalid("the change would make it another entry")
	}
	if readable(stored) && !readable(&entry{key: stored.key, raw: raw}) {
		return Entry{}, invalid("the change would make it unreadable for MSAL")
	}
	if same, _ := withChanges(stored.raw, nil); !bytes.Equal(raw, same) {
		s.put(stored.key, raw)
		c.stateChanged()
	}
	return s.entries[pos].found(e.Section()), nil
}

// Remove removes an entry that Search found, and reports whether it was still
// there: an entry that took its key since is left alone. It is remove_at,
// remove_rt, remove_idt and remove_account of MSAL Python's TokenCache, but
// that it finds the entry under whatever key it is stored. RemoveAccount signs
// an account out.
func (c *TokenCache) Remove(e Entry) bool {
	pos, ok := c.position(e)
	if ok {
		c.sections[e.Section()].drop(pos)
		c.stateChanged()
	}
	return ok
}

// position returns where the cache holds an entry now.
func (c *TokenCache) position(e Entry) (int, bool) {
	if e.of == nil {
		return 0, false
	}
	s := &c.sections[e.Section()]
	pos, ok := s.find(e.Key())
	return pos, ok && sameIdentity(e.Section(), e.of().raw, s.entries[pos].raw)
}

// sameIdentity compares what two entries are about. One that isn't about
// anything is only itself.
func sameIdentity(k Section, a, b []byte) bool {
	x, known := identityOf(k, a)
	y, also := identityOf(k, b)
	return known == also && x == y && (known || equal(k, a, b))
}

// withChanges returns raw with fields set. What isn't an object becomes one.
func withChanges(raw []byte, changes map[string]any) ([]byte, error) {
	values := map[string][]byte{}
	for name, v := range changes {
		value, err := encode(v)
		if err != nil {
			return nil, err
		}
		values[string(appendQuoted(nil, name))] = value
	}
	var out object
	out.buf.Grow(len(raw) + 64)
	for f := range fieldsOf(raw) {
		value, set := values[string(f.quoted)]
		delete(values, string(f.quoted))
		switch {
		case !set:
			out.set(f)
		case value != nil:
			out.set(field{f.quoted, value})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] != nil {
			out.set(field{[]byte(name), values[name]})
		}
	}
	return out.bytes(), nil
}

func encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return appendQuoted(nil, v), nil
	case bool:
		return strconv.AppendBool(nil, v), nil
	case int:
		return appendQuoted(nil, strconv.Itoa(v)), nil
	case int64:
		return appendQuoted(nil, strconv.FormatInt(v, 10)), nil
	case time.Time:
		return appendQuoted(nil, strconv.FormatInt(v.Unix(), 10)), nil
	case json.RawMessage:
		if !jsontext.Value(v).IsValid() || !fits(v) {
			return nil, invalid("a value isn't JSON, or is nested too deeply")
		}
		return bytes.TrimSpace(v), nil
	}
	return nil, invalid("a value is of a type that can't be stored")
}

// fits reports whether a value can be read back three objects deep, where
// fields lie: nesting is limited.
func fits(v []byte) bool {
	return jsontext.Value(slices.Concat([]byte("[[["), v, []byte("]]]"))).IsValid()
}
