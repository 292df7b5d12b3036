package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConclude(t *testing.T) {
	const pkg = module + "a"
	passes := func(test string) event { return event{Action: "pass", Package: pkg, Test: test} }
	for name, c := range map[string]struct {
		events []event
		wrong  string // empty: nothing is
	}{
		"all":               {[]event{passes("TestMust"), passes("TestMore")}, ""},
		"what must be runs": {[]event{passes("TestMore")}, "a.TestMust didn't pass, or didn't run"},
		"what must pass":    {[]event{{Action: "skip", Package: pkg, Test: "TestMust"}, passes("TestMore")}, "a.TestMust skip"},
		"anything else":     {[]event{passes("TestMust"), {Action: "fail", Package: pkg, Test: "TestMore"}}, "a.TestMore fail"},
		"the reason":        {[]event{passes("TestMust"), passes("TestCannot")}, "a.TestCannot passes"},
		"nothing":           {nil, "no test passed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResults(map[string]string{"a.TestCannot": "why"}, map[string]string{"a.TestMust": "why", "b.TestMust": "not asked for"})
			r.add(event{Action: "fail", Package: pkg, Test: "TestCannot"})
			for _, e := range c.events {
				r.add(e)
			}
			r.add(event{Action: "pass", Package: pkg})
			err := conclude(r, []compared{{name: "a"}})
			if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, want %q", err, c.wrong)
			}
		})
	}
}

func TestListsHaveReasons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	for text, ok := range map[string]bool{
		"# a comment\n\na.TestX the reason\n": true,
		"a.TestX\n":                           false,
		"a.TestX why\na.TestX why\n":          false,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if list, err := readList(path); (err == nil) != ok || ok && list["a.TestX"] != "the reason" {
			t.Errorf("%q became %v, %v", text, list, err)
		}
	}
	for _, list := range []string{"../cannot.txt", "../must.txt"} {
		if _, err := readList(list); err != nil {
			t.Error(err)
		}
	}
}
