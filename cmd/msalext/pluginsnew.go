package main

import (
	"embed"
	"errors"
	"fmt"
	gotoken "go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/backend"
)

//go:embed template/*.tmpl
var templates embed.FS

// starter is what the template asks for.
type starter struct {
	Name    string // the backend's
	Module  string // its Go module
	Package string
}

var (
	backendRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	moduleRule  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~/-]*$`)
)

// pluginsNew writes a backend to begin with.
func (c *command) pluginsNew() *cobra.Command {
	var module string
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write a backend of one's own to begin with: a Go module that passes the conformance kit",
		Long: "Writes the folder msalext-plugin-NAME: a backend, the plugin's main, tests and a workflow for CI.\n" +
			"What is there already stays as it is, and is an error.",
		Args: arguments(1, "the backend as NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			p := starter{Name: args[0], Module: module, Package: packageOf(args[0])}
			if !backendRule.MatchString(p.Name) {
				return usage("a backend's name is 1 to 32 of a-z, 0-9 and \"-\", and doesn't begin with \"-\"")
			}
			if p.Module == "" {
				p.Module = "example.com/msalext-plugin-" + p.Name
			}
			if !moduleRule.MatchString(p.Module) {
				return usage("--module: %q isn't the path of a module", p.Module)
			}
			return c.newPlugin(p, "msalext-plugin-"+p.Name)
		},
	}
	cmd.Flags().StringVar(&module, "module", "", "the `PATH` of the Go module; default example.com/msalext-plugin-NAME")
	cmd.ValidArgsFunction = offer(nil)
	complete(cmd, "module", nil)
	return cmd
}

// taken are package names that mean something else: main and init can't be imported,
// files of a package documentation aren't built, and the template imports a plugin.
var taken = []string{"main", "init", "documentation", "plugin"}

// packageOf makes a package's name of a backend's.
func packageOf(name string) string {
	name = strings.ReplaceAll(name, "-", "")
	if !gotoken.IsIdentifier(name) || slices.Contains(taken, name) { // a keyword is no identifier
		return "store" + name
	}
	return name
}

// files names what each template becomes.
func (p starter) files() map[string]string {
	return map[string]string{
		"go.mod.tmpl":              "go.mod",
		"gitignore.tmpl":           ".gitignore",
		"README.md.tmpl":           "README.md",
		"backend.go.tmpl":          p.Package + ".go",
		"conformance_test.go.tmpl": "conformance_test.go",
		"main.go.tmpl":             "cmd/msalext-plugin-" + p.Name + "/main.go",
		"test.yml.tmpl":            ".github/workflows/test.yml",
	}
}

func (c *command) newPlugin(p starter, dir string) error {
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return &backend.Error{
			Op: "new plugin", Backend: p.Name, Kind: backend.ErrInvalid,
			Err: fmt.Errorf("%s is there already", dir), Hint: "choose another name or directory",
		}
	}
	all, parseErr := template.ParseFS(templates, "template/*.tmpl")
	if err = errors.Join(err, parseErr); err != nil {
		return err
	}
	for from, to := range p.files() {
		if err := fill(all.Lookup(path.Base(from)), p, filepath.Join(dir, filepath.FromSlash(to))); err != nil {
			return err
		}
	}
	if c.json {
		return c.emit(map[string]string{"directory": dir, "module": p.Module}, nil)
	}
	_, err = fmt.Fprintf(c.out, "%s is written. Go on with:\n\n  cd %s\n  go mod tidy\n  go test ./...\n", dir, dir)
	return err
}

func fill(t *template.Template, p starter, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(t.Execute(f, p), f.Close())
}
