package main

import (
	"slices"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	c := &command{out: &out}
	c.show(&out, table{
		header: []string{"NAME", "WHAT"},
		rows:   [][]string{{"a", "one two"}, {"Zoë", ""}, {"long name", "\x1b[2Jevil"}},
	})
	want := "NAME       WHAT\na          one two\nZoë\nlong name  ?[2Jevil\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	c := &command{out: &out}
	c.facts(&out, "title", [][2]string{{"a", "1"}, {"nothing", ""}, {"bcd", "2"}})
	if want := "title\na    1\nbcd  2\n"; out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                     {""},
		"one":                  {"one"},
		"one two three":        {"one two", "three"},
		"seventeenletters":     {"seventeenletters"},
		"a seventeenletters b": {"a", "seventeenletters", "b"},
	} {
		if got := broken(text, 8); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
