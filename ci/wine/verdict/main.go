// Command verdict judges the tests of the Windows build that ran under Wine:
//
//	GOOS=windows go test -json -exec … PACKAGE... | go run ./ci/wine/verdict PACKAGE...
//
// It prints what go test without -json would, and fails unless each package was
// tested and each test passed, except what ci/wine/cannot.txt names. What is
// named there and passes, or isn't there, fails as well; and so does what
// ci/wine/must.txt names and didn't pass, of the packages that were asked for. Test files that Linux
// compiles and Windows doesn't count as not passed.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

const module = "github.com/msalext/msalext/"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "wine:", err)
		os.Exit(1)
	}
}

func run(patterns []string) error {
	known, err := readList("ci/wine/cannot.txt")
	if err != nil {
		return err
	}
	must, err := readList("ci/wine/must.txt")
	if err != nil {
		return err
	}
	packages, err := compare(patterns)
	if err != nil {
		return err
	}
	r := newResults(known, must)
	events := bufio.NewScanner(os.Stdin)
	events.Buffer(nil, 64<<20) // a failed comparison of two caches is one line
	for events.Scan() {
		var e event
		if err := json.Unmarshal(events.Bytes(), &e); err != nil {
			fmt.Println(events.Text()) // go's own words, where it can't even begin
			continue
		}
		r.add(e)
	}
	if err := events.Err(); err != nil {
		return err
	}
	return conclude(r, packages)
}

// conclude tells what is wrong, or how much was shown.
func conclude(r *results, packages []compared) error {
	var wrong []string
	names := map[string]bool{}
	for _, p := range packages {
		names[p.name] = true
		if !r.tested(p.name) {
			wrong = append(wrong, p.name+": not tested, or not to the end")
		}
		for _, file := range p.files {
			names[file] = true
		}
		for _, file := range p.elsewhere {
			r.tests[file] = "isn't for Windows"
		}
	}
	passed := 0
	for name, got := range r.tests {
		switch {
		case got == "pass":
			passed++
		case r.known[name] == "" && !r.partFailed(name):
			wrong = append(wrong, name+" "+got+": mend it, or say in ci/wine/cannot.txt why Wine can't show it")
		}
	}
	for name := range r.known {
		pkg, _, _ := strings.Cut(name, ".Test")
		if got := r.tests[name]; (names[pkg] || names[name]) && (got == "" || got == "pass") {
			wrong = append(wrong, name+" passes, or isn't there: take it off ci/wine/cannot.txt")
		}
	}
	for name := range r.must {
		if pkg, _, _ := strings.Cut(name, ".Test"); names[pkg] && r.tests[name] != "pass" {
			wrong = append(wrong, name+" didn't pass, or didn't run: ci/wine/must.txt demands it")
		}
	}
	if passed == 0 {
		wrong = append(wrong, "no test passed")
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return errors.New("not shown:\n  " + strings.Join(wrong, "\n  "))
	}
	fmt.Printf("wine: %d tests of %d packages pass; ci/wine/cannot.txt tells why others can't\n", passed, len(packages))
	return nil
}
