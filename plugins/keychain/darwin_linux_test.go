package keychain

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// darwin loads packages as a Mac with cgo would. Names of C aren't looked up:
// there are no headers here.
type darwin struct {
	fset     *token.FileSet
	context  build.Context
	standard types.Importer
	loaded   map[string]*types.Package
}

func newDarwin(t *testing.T) *darwin {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	build.Default.GOROOT = strings.TrimSpace(string(root)) // unknown in a binary built with -trimpath
	d := &darwin{fset: token.NewFileSet(), context: build.Default, loaded: map[string]*types.Package{}}
	d.context.GOOS, d.context.GOARCH, d.context.CgoEnabled = "darwin", "arm64", true
	d.standard = importer.ForCompiler(d.fset, "source", nil)
	return d
}

func (d *darwin) Import(path string) (*types.Package, error) {
	if p, ok := d.loaded[path]; ok {
		return p, nil
	}
	found, err := d.context.Import(path, ".", 0)
	if err != nil {
		return nil, err
	}
	if found.Goroot {
		return d.standard.Import(path)
	}
	p, err := d.check(found)
	d.loaded[path] = p
	return p, err
}

func (d *darwin) check(found *build.Package) (*types.Package, error) {
	var files []*ast.File
	for _, name := range append(found.GoFiles, found.CgoFiles...) {
		f, err := parser.ParseFile(d.fset, filepath.Join(found.Dir, name), nil, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	config := types.Config{FakeImportC: true, Importer: d}
	return config.Check(found.ImportPath, d.fset, files, nil)
}

// Not parallel: it sets a default of package build. The file that only a Mac compiles fits the interface and the library.
func TestDarwinTypes(t *testing.T) {
	d := newDarwin(t)
	found, err := d.context.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.CgoFiles) != 1 || found.CgoFiles[0] != "security_darwin.go" {
		t.Fatalf("a Mac would compile %v", found.CgoFiles)
	}
	p, err := d.check(found)
	if err != nil {
		t.Fatal(err)
	}
	framework := p.Scope().Lookup("framework").Type()
	calls := p.Scope().Lookup("security").Type().Underlying().(*types.Interface)
	if !types.Implements(types.NewPointer(framework), calls) {
		t.Error("framework lacks methods")
	}
}
