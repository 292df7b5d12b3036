// Command imports checks who may import what. The layers of docs/design.md
// hold only as long as something enforces them: a program that links its
// backends in must not drag gRPC along, and the packages that authors of
// backends build upon must stay small.
//
//	go run ./ci/imports
//
// It prints each breach and exits with 1, or says how much it looked at.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

const module = "github.com/msalext/msalext/"

// systems are looked at one by one, since files come and go with them.
var systems = []string{"linux", "darwin", "windows", "freebsd"}

// pkg is what `go list -json` tells of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Module     *struct{ Path string }
	Standard   bool
}

func main() {
	var breaches []string
	checked := 0
	for _, goos := range systems {
		found, n, err := check(goos)
		if err != nil {
			fmt.Fprintln(os.Stderr, "imports:", err)
			os.Exit(1)
		}
		breaches, checked = append(breaches, found...), checked+n
	}
	slices.Sort(breaches)
	for _, b := range slices.Compact(breaches) {
		fmt.Println(b)
	}
	if len(breaches) > 0 {
		os.Exit(1)
	}
	fmt.Printf("imports: %d packages on %d systems keep the rules\n", checked, len(systems))
}

// check returns the breaches on one system, and how many packages it saw.
func check(goos string) ([]string, int, error) {
	all, err := list(goos)
	if err != nil {
		return nil, 0, err
	}
	byPath := map[string]pkg{}
	for _, p := range all {
		byPath[p.ImportPath] = p
	}
	var breaches []string
	n := 0
	for _, p := range all {
		name, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		n++
		breaches = append(breaches, judge(name, p, byPath)...)
	}
	return breaches, n, nil
}

func judge(name string, p pkg, byPath map[string]pkg) []string {
	rule, ok := ruleFor(name)
	if !ok {
		return []string{name + ": no rule names this package; add one to ci/imports/rules.go"}
	}
	var breaches []string
	for _, imp := range p.Imports {
		if other, ours := strings.CutPrefix(imp, module); ours && !matches(rule.ours, other) {
			breaches = append(breaches, name+" must not import "+other)
		}
	}
	for _, dep := range p.Deps {
		d := byPath[dep]
		if d.Module != nil && !strings.HasPrefix(dep, module) && !slices.Contains(rule.modules, d.Module.Path) {
			breaches = append(breaches, name+" must not depend on the module "+d.Module.Path)
		}
	}
	return breaches
}

// matches tells whether one of the patterns is name. A pattern is as in
// path.Match, where "*" stands for one element of a path.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	})
}

func list(goos string) ([]pkg, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps,Module,Standard", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list for %s: %w", goos, err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list for %s: %w", goos, err)
		}
		all = append(all, p)
	}
}
