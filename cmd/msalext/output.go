package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// emit prints v as JSON where that was asked for, else what text writes.
func (c *command) emit(v any, text func(io.Writer)) error {
	if !c.json {
		text(c.out)
		return nil
	}
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// terminal tells whether a person is at the other end.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// breadth is how many columns a terminal has; 0 where nobody looks at w.
func breadth(w any) int {
	if !terminal(w) {
		return 0
	}
	n, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil {
		return 0
	}
	return n
}

const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// color wraps text for the output in an escape sequence, as colorOn does.
func (c *command) color(code, text string) string { return c.colorOn(c.out, code, text) }

// colorOn wraps text in an escape sequence, on a terminal where NO_COLOR
// (no-color.org) isn't set.
func (c *command) colorOn(w any, code, text string) string {
	if code == "" || c.json || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" || !terminal(w) {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// plain replaces what isn't printable: what caches and plugins say is somebody
// else's text, and must not move the cursor.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 || r == '\ufeff' || 0x200e <= r && r <= 0x200f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
			return '?'
		}
		return r
	}, s)
}
