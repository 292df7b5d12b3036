// Package canary finds secrets where they must not be. A test marks every
// secret with one text, and looks for that text in all that a program shows:
// logs, errors, arguments, environment.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Sighting is a marker that was found.
type Sighting struct {
	Form   string // how it was written: "raw", "base64", …
	Around string // what stands before it, to find the place; no part of the marker
}

// Find looks for a marker in data, written in any form that logging, encoding
// or quoting gives it, and returns the first sighting of each.
func Find(data []byte, marker string) []Sighting {
	var found []Sighting
	for _, f := range forms(marker) {
		if i := bytes.Index(data, []byte(f.text)); i >= 0 {
			found = append(found, Sighting{f.name, string(data[max(0, i-80):i])})
		}
	}
	return found
}

type form struct{ name, text string }

// forms are the ways to write a marker. What depends on its neighbours is cut
// at the ends, so that it is found in the middle of something longer.
func forms(marker string) []form {
	list := []form{
		{"raw", marker},
		{"hex", hex.EncodeToString([]byte(marker))},
		{"HEX", strings.ToUpper(hex.EncodeToString([]byte(marker)))},
		{"spaced hex", fmt.Sprintf("% x", marker)},
		{"decimal bytes", strings.Trim(fmt.Sprint([]byte(marker)), "[]")},
		{"Go bytes", strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(marker)), "[]byte{"), "}")},
		{"UTF-16", spread(marker)},
		{"quoted", strings.Trim(strconv.QuoteToASCII(marker), `"`)},
		{"escaped", escaped(marker, `\x%02x`)},
		{"JSON escaped", escaped(marker, `\u%04x`)},
		{"percent", escaped(marker, "%%%02X")},
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), marker...)
		list = append(list,
			form{"base64", inner(base64.RawStdEncoding.EncodeToString(padded), shift)},
			form{"base64url", inner(base64.RawURLEncoding.EncodeToString(padded), shift)})
	}
	return list
}

// inner is the part of a base64 text that the marker alone decides.
func inner(text string, shift int) string {
	if shift > 0 {
		text = text[4:]
	}
	return text[:len(text)-2]
}

func escaped(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

func spread(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return strings.TrimSuffix(b.String(), "\x00")
}
