package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// table makes a document with all rows, in which some cells are others.
func table(change map[string]string) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| Id | Feature | Here | Shown by |\n| --- | --- | --- | --- |")
	for letter, n := range complete {
		for i := range n {
			id := fmt.Sprint(letter, i+1)
			rest := "f | `F` | `TestFeatures/" + id + "`"
			if c, ok := change[id]; ok {
				rest = c
			}
			if rest != "" {
				fmt.Fprintf(&b, "| %s | %s |\n", id, rest)
			}
		}
	}
	return b.String()
}

// ran is what go test -json says of all rows, in which some became something
// else. Those that became "" aren't there.
func ran(change map[string]string) string {
	var b strings.Builder
	say := func(action, pkg, test string) {
		line, _ := json.Marshal(event{Action: action, Package: module + pkg, Test: test})
		b.Write(append(line, '\n'))
	}
	for letter, n := range complete {
		for i := range n {
			test := fmt.Sprint("TestFeatures/", letter, i+1)
			became, changed := change[test]
			if !changed {
				became = "pass"
			}
			if became != "" {
				say("run", "msal", test)
				say(became, "msal", test)
			}
		}
	}
	for test, became := range change {
		if pkg, name, ok := strings.Cut(test, ".T"); ok {
			say(became, pkg, "T"+name)
		} else if strings.Count(test, "/") > 1 {
			say(became, "msal", test)
		}
	}
	return b.String()
}

func TestCheck(t *testing.T) {
	t.Parallel()
	type m = map[string]string
	for _, tt := range []struct {
		name          string
		rows, results m
		want          string // empty: it is fine
	}{
		{"all is shown", nil, nil, ""},
		{"missing", nil, m{"TestFeatures/A7": ""}, "A7: msal.TestFeatures/A7 didn't run"},
		{"failed", nil, m{"TestFeatures/C20": "fail"}, "C20: msal.TestFeatures/C20 failed"},
		{"skipped", nil, m{"TestFeatures/S3": "skip"}, "S3: msal.TestFeatures/S3 was skipped, or a part of it"},
		{"a part skipped", nil, m{"TestFeatures/S3/linux": "skip"}, "S3: msal.TestFeatures/S3 was skipped, or a part of it"},
		{"by its first word", nil, m{"TestFeatures/A1": "", "TestFeatures/A1_one/sub": "pass", "TestFeatures/A1,_two/sub": "pass"}, ""},
		{"of two rows", nil, m{"TestFeatures/A1": "", "TestFeatures/X1,_A1:_both/sub": "pass"}, ""},
		{"by a later word", nil, m{"TestFeatures/A1": "", "TestFeatures/X1_as_A1/sub": "pass"}, "A1: msal.TestFeatures/A1 didn't run"},
		{"one of several failed", nil, m{"TestFeatures/A1": "", "TestFeatures/A1_one/sub": "pass", "TestFeatures/A1,_two/sub": "fail"}, "A1: msal.TestFeatures/A1 failed"},
		{"another row's", nil, m{"TestFeatures/A1": "", "TestFeatures/A10/sub": "pass"}, "A1: msal.TestFeatures/A1 didn't run"},
		{"a part passed", nil, m{"TestFeatures/S3/linux": "pass"}, ""},
		{"not yet", m{"A1": "f | not yet | "}, nil, "A1: not yet"},
		{"not yet, and a test", m{"A1": "f | not yet | `TestFeatures/A1`"}, nil, "A1: not yet"},
		{"no test", m{"X1": "f | `F` | "}, nil, "X1: no test shows it"},
		{"one of two failed", m{"A1": "f | `F` | `TestFeatures/A1`, `TestFeatures/A2`"}, m{"TestFeatures/A2": "fail"}, "A1: msal.TestFeatures/A2 failed"},
		{"another's name", m{"A1": "f | `F` | `TestFeatures/A2`"}, nil, "A1: no subtest has its name"},
		{"another package", m{"X3": "f | `F` | `plugins/dpapi.TestX`"}, m{"plugins/dpapi.TestX": "pass"}, ""},
		{"another package, missing", m{"X3": "f | `F` | `plugins/dpapi.TestX`"}, nil, "X3: plugins/dpapi.TestX didn't run"},
		{"passed and failed", nil, m{"msal.TestFeatures/A1": "fail"}, "A1: msal.TestFeatures/A1 failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := checked(t, table(tt.rows), ran(tt.results))
			if tt.want == "" {
				if err != nil || !strings.HasPrefix(out, "features: 117 rows") {
					t.Errorf("%q, %v", out, err)
				}
			} else if err == nil || !strings.Contains("\n"+out, "\n"+tt.want+"\n") {
				t.Errorf("%q, %v; want %q", out, err, tt.want)
			}
		})
	}
}

func checked(t *testing.T, table, events string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "table.md"), filepath.Join(dir, "events")}
	err := errors.Join(os.WriteFile(paths[0], []byte(table), 0o600), os.WriteFile(paths[1], []byte(events), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run([]string{"check", paths[0], paths[1]}, nil, &out)
	return out.String(), err
}

// TestSeveralRuns: what one run lacks another shows, and what fails in one
// fails.
func TestSeveralRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	doc := path("table.md", table(nil))
	without := path("without", ran(map[string]string{"TestFeatures/W19": ""}))
	other := path("other", `{"Action":"pass","Package":"`+module+`msal","Test":"TestFeatures/W19"}`)
	failed := path("failed", `{"Action":"fail","Package":"`+module+`msal","Test":"TestFeatures/W19"}`)
	for name, tt := range map[string]struct {
		events []string
		ok     bool
	}{
		"one":             {[]string{without}, false},
		"both":            {[]string{without, other}, true},
		"one that failed": {[]string{without, other, failed}, false},
	} {
		var out bytes.Buffer
		if err := run(append([]string{"check", doc}, tt.events...), nil, &out); (err == nil) != tt.ok {
			t.Errorf("%s: %v, %s", name, err, out.String())
		}
	}
}

func TestTableRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"a row that vanished": {table(map[string]string{"C3": ""}), "C3 isn't there"},
		"a row twice":         {table(nil) + "| A1 | f | `F` | `TestX` |\n", "A1 stands there twice"},
		"a row more":          {table(nil) + "| A49 | f | `F` | `TestX` |\n", "1 rows more of A"},
		"no test's name":      {table(map[string]string{"A1": "f | `F` | `Example`"}), "isn't a test"},
	} {
		if out, err := checked(t, tt.text, ran(nil)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

// TestPrint has what go test -json prints of a failure, a panic and a program
// that doesn't compile.
func TestPrint(t *testing.T) {
	t.Parallel()
	events := `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"    a_test.go:1: a log\n"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"--- PASS: TestGood (0.00s)\n"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    a_test.go:2: wrong\n"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestWorse","Output":"panic: oh\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
{"ImportPath":"q","Action":"build-output","Output":"q.go:1: undefined: x\n"}
{"Action":"output","Package":"q","Output":"FAIL\tq [build failed]\n"}
{"Action":"fail","Package":"q"}
{"Action":"output","Package":"r","Output":"PASS\n"}
{"Action":"output","Package":"r","Output":"ok  \tr\t0.2s\n"}
{"Action":"pass","Package":"r"}
go: no such package
`
	want := "    a_test.go:2: wrong\n--- FAIL: TestBad (0.00s)\npanic: oh\nFAIL\tp\t0.1s\n" +
		"q.go:1: undefined: x\nFAIL\tq [build failed]\nok  \tr\t0.2s\ngo: no such package\n"
	path := filepath.Join(t.TempDir(), "events")
	var out bytes.Buffer
	if err := run([]string{"print", path}, strings.NewReader(events), &out); err != nil || out.String() != want {
		t.Errorf("%v, got:\n%s\nwant:\n%s", err, out.String(), want)
	}
	if kept, err := os.ReadFile(path); err != nil || string(kept) != events {
		t.Errorf("kept %s, %v", kept, err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"print"}, {"check", "x"}, {"check", "/nowhere", "/nowhere"}} {
		if err := run(args, strings.NewReader(""), &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
