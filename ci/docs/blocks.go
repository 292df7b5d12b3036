package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A block is commands that a document shows.
type block struct {
	line     int // of the fence
	commands string
	reason   string // why it isn't run; empty: it is
}

// reasons are what may stand in <!-- not run: REASON --> right before a block.
var reasons = map[string]string{
	"checkout": "it works in a checkout of this repository",
	"desktop":  "it needs a desktop with a key store",
	"macos":    "it is for macOS",
	"root":     "it installs for the whole system",
	"tenant":   "it needs a tenant, or a person who signs in",
	"windows":  "it is for Windows",
}

// languages tells which blocks hold commands. One that isn't listed is an error,
// so that no command goes untried by a slip.
var languages = map[string]bool{
	"sh": true, "console": true,
	"": false, "go": false, "json": false, "powershell": false, "python": false, "text": false, "yaml": false,
}

var markRule = regexp.MustCompile(`^<!-- not run: (.*) -->$`)

// blocksOf finds the commands of a document.
func blocksOf(text string) ([]block, error) {
	var all []block
	var open *block // the block that the line is in
	language, mark := "", ""
	for i, line := range strings.Split(text, "\n") {
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			language, open = info, &block{line: i + 1, reason: mark}
			if err := check(language, mark); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		case fence:
			if languages[language] {
				all = append(all, *open)
			}
			open = nil
		case open != nil:
			open.commands += command(language, line)
		}
		if mark = ""; open == nil {
			mark = marked(line)
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: the block doesn't end", open.line)
	}
	return all, nil
}

func marked(line string) string {
	if m := markRule.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}

func check(language, mark string) error {
	if _, ok := languages[language]; !ok {
		return fmt.Errorf("a block of %q: is it to be run?", language)
	}
	if _, ok := reasons[mark]; mark != "" && !ok {
		return fmt.Errorf("%q is no reason not to run a block", mark)
	}
	return nil
}

// command is what a line has to be run. A console shows output too.
func command(language, line string) string {
	if language == "console" {
		typed, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			return ""
		}
		line = typed
	}
	return line + "\n"
}
