package tokencache

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"time"
)

// Entry is an entry of a cache as Search found it: it stays that when the
// cache changes. The zero value is an entry without a field. It is safe for
// concurrent use.
//
// Most entries hold secrets. fmt and log/slog print neither those nor who the
// person is; an encoder gets the text that String gives.
type Entry struct {
	// A function, because fmt doesn't ask for Format where a caller's struct
	// has the entry in an unexported field, and would print what a pointer or
	// a struct holds.
	of func() *found
}

type found struct {
	section Section
	key     string
	raw     []byte
}

func (e *entry) found(k Section) Entry {
	f := &found{section: k, key: e.key, raw: e.raw}
	return Entry{func() *found { return f }}
}

// Section returns the section that the entry is of.
func (e Entry) Section() Section { return e.state().section }

// Key returns the name of the entry in its section. Every library builds keys
// in its own way; an entry is told by its fields.
func (e Entry) Key() string { return e.state().key }

// Raw returns the JSON of the entry as it is stored, in memory of its own.
func (e Entry) Raw() []byte { return bytes.Clone(e.state().raw) }

// Field returns a field by its name in the JSON, such as "username": the text
// of a string, a number or truth value as written, and "" where it is absent,
// null, an object or a list.
func (e Entry) Field(name string) string {
	return text(valueOf(e.state().raw, string(appendQuoted(nil, name))))
}

// Fields yields the names of the fields and their values as JSON, in the order
// in which they are written, in memory of their own.
func (e Entry) Fields() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for f := range fieldsOf(e.state().raw) {
			if !yield(unquote(f.quoted), bytes.Clone(f.raw)) {
				return
			}
		}
	}
}

// Secret returns the token. It is empty in accounts and application metadata.
func (e Entry) Secret() string { return secretOf(e.state().raw) }

// Time returns a field that holds seconds since 1970, such as "expires_on", in
// UTC, and the zero time where it is absent or can't be read.
func (e Entry) Time(name string) time.Time {
	n := seconds(valueOf(e.state().raw, string(appendQuoted(nil, name))))
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// Expired reports whether the entry is an access token that has expired by
// now, or that doesn't say when it does.
func (e Entry) Expired(now time.Time) bool {
	return e.Section() == AccessTokens && seconds(valueOf(e.state().raw, `"expires_on"`)) < now.Unix()
}

// String says what the entry is, without secrets and without the person.
func (e Entry) String() string {
	return fmt.Sprintf("%v of client %q at %q (contents withheld)", e.Section(), e.Field("client_id"), e.Field("environment"))
}

// Format prints what String returns, whatever the verb.
func (e Entry) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue is what log/slog logs: what String returns.
func (e Entry) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalText gives encoders what String returns.
func (e Entry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

func (e Entry) state() *found {
	if e.of == nil {
		return &found{}
	}
	return e.of()
}
