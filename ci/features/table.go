package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// row is one line of the table: | Id | Feature | Here | Shown by |.
type row struct {
	id      string
	missing bool     // Here says "not yet"
	tests   []string // as in "msal.TestX/y"
}

// complete is how many rows there are of each letter: one that vanished would
// need no test.
var complete = map[string]int{"A": 48, "C": 20, "S": 22, "W": 20, "X": 7}

var (
	idPattern   = regexp.MustCompile(`^([A-Z])([0-9]+)$`)
	testPattern = regexp.MustCompile("`([^`]+)`")
	// namePattern is a test, after its package if that isn't msal.
	namePattern = regexp.MustCompile(`^([\w./-]+\.)?(Test\w+(/\S+)?)$`)
)

// rowsOf reads the lines of a document that begin with an id in a table.
func rowsOf(text string) ([]row, error) {
	var rows []row
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || !idPattern.MatchString(strings.TrimSpace(cells[1])) {
			continue
		}
		r := row{id: strings.TrimSpace(cells[1]), missing: strings.Contains(cells[3], "not yet")}
		for _, m := range testPattern.FindAllStringSubmatch(cells[4], -1) {
			name := namePattern.FindStringSubmatch(m[1])
			if name == nil {
				return nil, fmt.Errorf("%s: %q isn't a test", r.id, m[1])
			}
			if name[1] == "" {
				name[1] = "msal."
			}
			r.tests = append(r.tests, name[1]+name[2])
		}
		rows = append(rows, r)
	}
	return rows, count(rows)
}

// count compares how many rows there are of each letter with complete.
func count(rows []row) error {
	seen := map[string][]int{}
	for _, r := range rows {
		m := idPattern.FindStringSubmatch(r.id)
		n, err := strconv.Atoi(m[2])
		if err != nil || slices.Contains(seen[m[1]], n) {
			return fmt.Errorf("%s stands there twice", r.id)
		}
		seen[m[1]] = append(seen[m[1]], n)
	}
	for letter, want := range complete {
		for n := range want {
			if !slices.Contains(seen[letter], n+1) {
				return fmt.Errorf("%s%d isn't there", letter, n+1)
			}
		}
		if extra := len(seen[letter]) - want; extra > 0 {
			return fmt.Errorf("%d rows more of %s than are known here", extra, letter)
		}
	}
	return nil
}
