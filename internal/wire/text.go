package wire

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is the largest text of a backend, such as a message or hint, in
// bytes.
const MaxText = 512

const ellipsis = "…"

// Clean makes text of unknown origin fit for one line of a log or terminal:
// valid UTF-8, at most [MaxText] bytes, line breaks and tabs as spaces, and
// any other control or invisible character, such as the start of an escape
// sequence, written as its Go escape.
func Clean(text string) string {
	text = strings.TrimSpace(text)
	if plain(text) {
		return strings.Clone(text) // which may be a small part of something large
	}
	var b strings.Builder
	for _, r := range text {
		piece := printable(r)
		if b.Len()+len(piece) > MaxText-len(ellipsis) {
			b.WriteString(ellipsis)
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}

// plain tells whether text can stay as it is, as most can.
func plain(text string) bool {
	if len(text) > MaxText {
		return false
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= unicode.MaxASCII {
			return false
		}
	}
	return true
}

func printable(r rune) string {
	switch {
	case r == utf8.RuneError:
		return string(utf8.RuneError)
	case unicode.IsPrint(r): // also says no to marks that turn the reading direction
		return string(r)
	case unicode.IsSpace(r):
		return " "
	}
	quoted := strconv.QuoteRune(r)
	return quoted[1 : len(quoted)-1]
}
