package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

const module = "github.com/msalext/msalext/"

// event is what go test -json prints: https://pkg.go.dev/cmd/test2json
type event struct {
	Action, Package, Test, Output string
}

// lines calls do with each event, and other with the lines that are none.
func lines(in io.Reader, do func(event), other func(string)) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 64<<20) // a failed comparison of two caches is one line
	for scanner.Scan() {
		var e event
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			other(scanner.Text())
			continue
		}
		e.Package = strings.TrimPrefix(e.Package, module)
		do(e)
	}
	return scanner.Err()
}

// results are what became of tests: pass, fail or skip, by names as in
// "msal.TestX/y".
type results map[string]string

// read adds those of a file.
func (r results) read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return lines(file, func(e event) {
		name := e.Package + "." + e.Test
		switch e.Action {
		case "pass", "fail", "skip":
			// A test that ran several times has to pass each time.
			if e.Test != "" {
				r[name] = worse(r[name], e.Action)
			}
		}
	}, func(string) {})
}

// show prints what go test without -json would.
func show(in io.Reader, out io.Writer) error {
	s := shown{out: out, tests: map[string]*strings.Builder{}, packages: map[string]*strings.Builder{}}
	return lines(in, s.add, func(line string) { fmt.Fprintln(out, line) })
}

// shown is the output of packages that aren't over, and of their tests. That of
// a test that passed is dropped.
type shown struct {
	out      io.Writer
	order    []string // of tests
	tests    map[string]*strings.Builder
	packages map[string]*strings.Builder
}

func (s *shown) add(e event) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "output":
		s.output(e)
	case "pass", "skip", "fail":
		if e.Test == "" {
			s.flush(e.Package)
		} else if e.Action != "fail" {
			delete(s.tests, e.Package+"."+e.Test)
		}
	}
}

func (s *shown) output(e event) {
	of, name := s.packages, e.Package
	if e.Test != "" {
		of, name = s.tests, e.Package+"."+e.Test
	}
	// -json implies -v, which tells of each test and of success.
	if strings.HasPrefix(strings.TrimSpace(e.Output), "=== ") || e.Output == "PASS\n" {
		return
	}
	if of[name] == nil {
		of[name] = &strings.Builder{}
		if e.Test != "" {
			s.order = append(s.order, name)
		}
	}
	of[name].WriteString(e.Output)
}

// flush prints what failed in a package, or hadn't ended when the package did.
func (s *shown) flush(pkg string) {
	var rest []string
	for _, name := range s.order {
		text := s.tests[name]
		switch {
		case text == nil: // it passed
		case strings.HasPrefix(name, pkg+"."):
			fmt.Fprint(s.out, text)
			delete(s.tests, name)
		default:
			rest = append(rest, name)
		}
	}
	s.order = rest
	if text := s.packages[pkg]; text != nil {
		fmt.Fprint(s.out, text)
		delete(s.packages, pkg)
	}
}
