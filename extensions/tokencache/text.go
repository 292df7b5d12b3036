package tokencache

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// unquote returns the text of a valid JSON string, and "" for any other value.
func unquote(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	// The only error is half of a surrogate pair, which is read as U+FFFD.
	text, _ := jsontext.AppendUnquote(nil, raw)
	return string(text)
}

// text returns the text of a string, and numbers and truth values as written.
// For null, objects and lists it is "".
func text(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case 'n', '{', '[':
		return ""
	case '"':
		return unquote(raw)
	}
	return string(raw)
}

// appendQuoted appends s as a JSON string in ASCII.
func appendQuoted(dst []byte, s string) []byte {
	quoted, _ := jsontext.AppendQuote(nil, s)
	return appendASCII(dst, quoted)
}

// appendASCII appends valid JSON with every other character escaped, which is
// possible because such characters occur in strings only.
func appendASCII(dst, raw []byte) []byte {
	for len(raw) > 0 {
		n := slices.IndexFunc(raw, func(c byte) bool { return c >= utf8.RuneSelf })
		if n < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:n]...)
		r, size := utf8.DecodeRune(raw[n:])
		dst = appendEscape(dst, r)
		raw = raw[n+size:]
	}
	return dst
}

func appendEscape(dst []byte, r rune) []byte {
	if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
		return appendEscape(appendEscape(dst, hi), lo)
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// seconds reads a time: a decimal string or a number. Null, an empty string
// and anything else are 0, as is what lies beyond the integers that a double
// holds, so that adding to it can't overflow.
func seconds(raw []byte) int64 {
	if len(raw) == 0 {
		return 0
	}
	text := string(raw)
	if raw[0] == '"' {
		text = unquote(raw)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1<<53 {
		return 0
	}
	return int64(f)
}
