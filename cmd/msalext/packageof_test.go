package main

import (
	"go/parser"
	gotoken "go/token"
	"slices"
	"strings"
	"testing"
)

// Whatever a backend is called, a package of Go can be called what is made of it, and
// be imported beside the template's own imports.
func TestPackageOf(t *testing.T) {
	t.Parallel()
	names := []string{"main", "init", "documentation", "plugin", "1password", "9", "0-0", "go-to", "de-fault", "my-store", "a", "a-"}
	for word := gotoken.Token(0); word < 256; word++ {
		if word.IsKeyword() {
			names = append(names, word.String())
		}
	}
	if len(names) < 12+25 {
		t.Fatalf("Go has 25 keywords, and these are tried: %q", names)
	}
	for _, name := range names {
		if !backendRule.MatchString(name) {
			t.Errorf("%q is no backend's name", name)
		}
		is := packageOf(name)
		if _, err := parser.ParseFile(gotoken.NewFileSet(), is+".go", "package "+is+"\n", parser.PackageClauseOnly); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if slices.Contains([]string{"main", "init", "documentation", "plugin", "_"}, is) || !strings.HasSuffix(is, strings.ReplaceAll(name, "-", "")) {
			t.Errorf("%s: the package would be called %s", name, is)
		}
	}
	if got := packageOf("my-store"); got != "mystore" {
		t.Errorf("my-store: %s", got)
	}
}
