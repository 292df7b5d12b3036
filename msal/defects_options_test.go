package msal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/msalext/msalext/msal"
)

// TestEveryOptionIsShown looks into the tests themselves. An option that is
// ignored would pass every test that only sets it; so each field of Options has
// a test TestOption… of its own, which observes by optionShows what a server
// sees with the option and without, and wants that to differ. TestAuthCodeOptions
// does the same in one table. Of the other options each has to be set by some
// test.
func TestEveryOptionIsShown(t *testing.T) {
	t.Parallel()
	parsed := parseTests(t)
	for _, field := range fieldsOf[msal.Options]() {
		// What a cache does isn't seen by a server.
		if fn := parsed.functions["TestOption"+field]; fn == nil || field != "Cache" && !differs(t, field, fn) {
			t.Errorf("Options.%s: no test TestOption%s observes it by optionShows", field, field)
		}
	}
	table := parsed.functions["TestAuthCodeOptions"]
	if table == nil {
		t.Fatal("TestAuthCodeOptions is gone")
	}
	shown := keysIn(table, "AuthCodeOptions")
	for _, field := range fieldsOf[msal.AuthCodeOptions]() {
		// Without these two there is no URL to look at.
		if field != "ClientID" && field != "RedirectURI" && !shown[field] {
			t.Errorf("AuthCodeOptions.%s: no line of TestAuthCodeOptions observes it", field)
		}
	}
	for name, fields := range otherOptions {
		set := map[string]bool{}
		for _, file := range parsed.files {
			maps.Copy(set, keysIn(file, name))
			maps.Copy(set, assigned(file))
		}
		for _, field := range fields {
			if !set[field] {
				t.Errorf("%s.%s: no test sets it", name, field)
			}
		}
	}
}

var otherOptions = map[string][]string{
	"SilentOptions":       fieldsOf[msal.SilentOptions](),
	"ForClientOptions":    fieldsOf[msal.ForClientOptions](),
	"InteractiveOptions":  fieldsOf[msal.InteractiveOptions](),
	"BehalfOptions":       fieldsOf[msal.BehalfOptions](),
	"PasswordOptions":     fieldsOf[msal.PasswordOptions](),
	"RefreshTokenOptions": fieldsOf[msal.RefreshTokenOptions](),
	"CertificateOptions":  fieldsOf[msal.CertificateOptions](),
	"RetryOptions":        fieldsOf[msal.RetryOptions](),
	"PopOptions":          fieldsOf[msal.PopOptions](),
	"PartitionOptions":    fieldsOf[msal.PartitionOptions](),
}

func fieldsOf[T any]() []string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if field.IsExported() && !field.Anonymous {
			names = append(names, field.Name)
		}
	}
	return names
}

// parsedTests are this package's own tests.
type parsedTests struct {
	files     []*ast.File
	functions map[string]*ast.FuncDecl
}

func parseTests(t *testing.T) parsedTests {
	t.Helper()
	names, err := filepath.Glob("*_test.go")
	if err != nil || len(names) == 0 {
		t.Fatal("no tests: ", err)
	}
	parsed := parsedTests{functions: map[string]*ast.FuncDecl{}}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed.files = append(parsed.files, file)
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				parsed.functions[fn.Name.Name] = fn
			}
		}
	}
	return parsed
}

// differs tells whether a test calls optionShows with two results that aren't
// the same.
func differs(t *testing.T, field string, fn *ast.FuncDecl) bool {
	t.Helper()
	calls := 0
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "optionShows" {
			return true
		}
		calls++
		with, without := call.Args[len(call.Args)-2], call.Args[len(call.Args)-1]
		one, ok1 := with.(*ast.BasicLit)
		two, ok2 := without.(*ast.BasicLit)
		if ok1 && ok2 && one.Value == two.Value {
			t.Errorf("Options.%s: it is the same with and without", field)
		}
		return true
	})
	return calls > 0
}

// keysIn returns the fields that composite literals of a type set.
func keysIn(in ast.Node, typeName string) map[string]bool {
	keys := map[string]bool{}
	ast.Inspect(in, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || nameOf(literal.Type) != typeName {
			return true
		}
		for _, e := range literal.Elts {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				keys[nameOf(pair.Key)] = true
			}
		}
		return true
	})
	return keys
}

// assigned returns the fields that are set by assignments, of whatever type.
func assigned(in ast.Node) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(in, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok {
			for _, left := range a.Lhs {
				if _, ok := left.(*ast.SelectorExpr); ok {
					names[nameOf(left)] = true
				}
			}
		}
		return true
	})
	return names
}

func nameOf(e ast.Node) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
