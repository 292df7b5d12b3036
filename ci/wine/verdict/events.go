package main

import (
	"fmt"
	"strings"
)

// event is what go test -json prints: https://pkg.go.dev/cmd/test2json
type event struct {
	Action, Package, Test, Output string
}

// results are what became of packages and tests, by name.
type results struct {
	known    map[string]string   // what can't pass, with reasons
	must     map[string]string   // what has to pass
	packages map[string]string   // pass, fail, or skip for those without tests
	tests    map[string]string   // pass, fail or skip
	output   map[string][]string // of a test and its parts, until it is over
	crashed  map[string]bool     // packages that ended before their tests did
}

func newResults(known, must map[string]string) *results {
	return &results{
		known: known, must: must, packages: map[string]string{}, tests: map[string]string{},
		output: map[string][]string{}, crashed: map[string]bool{},
	}
}

func (r *results) add(e event) {
	pkg := strings.TrimPrefix(e.Package, module)
	if e.Test == "" {
		r.addPackage(pkg, e)
		return
	}
	first, _, part := strings.Cut(e.Test, "/")
	switch e.Action {
	case "output":
		r.output[pkg+"."+first] = append(r.output[pkg+"."+first], e.Output)
	case "pass", "fail", "skip":
		r.tests[pkg+"."+e.Test] = e.Action
		if part {
			return
		}
		if e.Action != "pass" {
			fmt.Print(strings.Join(r.output[pkg+"."+first], ""))
		}
		delete(r.output, pkg+"."+first)
	}
}

func (r *results) addPackage(pkg string, e event) {
	switch e.Action {
	case "output", "build-output":
		if e.Output != "PASS\n" {
			fmt.Print(e.Output)
		}
		// A failed test alone ends the program with 1, and go test is silent then.
		if strings.HasPrefix(e.Output, "exit status") || strings.HasPrefix(e.Output, "panic:") {
			r.crashed[pkg] = true
		}
	case "pass", "fail", "skip":
		r.packages[pkg] = e.Action
	}
}

// partFailed tells whether a test has a part that failed, which is then the
// one to speak of.
func (r *results) partFailed(test string) bool {
	for name, got := range r.tests {
		if strings.HasPrefix(name, test+"/") && got == "fail" {
			return true
		}
	}
	return false
}

// tested tells whether a package's tests all ran to their end, and failed, if
// they did, by tests.
func (r *results) tested(pkg string) bool {
	if r.packages[pkg] != "fail" {
		return r.packages[pkg] != ""
	}
	for name, got := range r.tests {
		if strings.HasPrefix(name, pkg+".") && got == "fail" {
			return !r.crashed[pkg]
		}
	}
	return false
}
