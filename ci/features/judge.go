package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// judge returns what is wrong with a row, for each one that has something.
func judge(rows []row, got results) []string {
	var wrong []string
	for _, r := range rows {
		if reason := r.judge(got); reason != "" {
			wrong = append(wrong, r.id+": "+reason)
		}
	}
	return wrong
}

func (r row) judge(got results) string {
	if r.missing {
		return "not yet"
	}
	if len(r.tests) == 0 {
		return "no test shows it"
	}
	own := false
	for _, test := range r.tests {
		if became := got.of(test); became != "pass" {
			return fmt.Sprintf("%s %s", test, words[became])
		}
		own = own || path.Base(test) == r.id || !strings.HasPrefix(test, "msal")
	}
	if !own {
		return "no subtest has its name"
	}
	return ""
}

var words = map[string]string{
	"":     "didn't run",
	"fail": "failed",
	"skip": "was skipped, or a part of it",
}

// of tells what became of a test and its parts. A test that is named after a row
// stands for all whose names begin with ids, that one among them: "TestX/A1" is
// "TestX/A1", "TestX/A1_one_way" and "TestX/A3,_A1:_both" together. What was
// skipped in part didn't show all that it names.
func (r results) of(test string) string {
	worst := ""
	for name, became := range r {
		if part(name, test) {
			worst = worse(worst, became)
		}
	}
	return worst
}

// part tells whether name is of the tests that test stands for.
func part(name, test string) bool {
	if name == test || strings.HasPrefix(name, test+"/") {
		return true
	}
	dir, id := path.Split(test)
	rest, below := strings.CutPrefix(name, dir)
	if !below || !idPattern.MatchString(id) {
		return false
	}
	own, _, _ := strings.Cut(rest, "/")
	for word := range strings.SplitSeq(own, "_") {
		switch word = strings.TrimRight(word, ",:"); {
		case word == id:
			return true
		case !idPattern.MatchString(word):
			return false
		}
	}
	return false
}

func worse(a, b string) string {
	rank := []string{"", "pass", "skip", "fail"}
	return rank[max(slices.Index(rank, a), slices.Index(rank, b))]
}
