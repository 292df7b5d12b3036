package pluginhost

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/msalext/msalext/extensions/backend"
)

// A candidate is a binary that was found or named.
type candidate struct {
	name   string
	path   string
	within string   // the directory that it mustn't leave; empty: it may be anywhere
	strict bool     // owned by root or the system all the way
	pinned bool     // it doesn't run without a hash that is expected or trusted
	hashes []string // SHA-256 in hex that the program expects, any of them
}

// A program is a binary that may run.
type program struct {
	name   string
	path   string   // symlinks resolved
	run    string   // what to execute in place of path; empty: path, or the file
	file   *os.File // what was checked, open until the start is over; nil for the program itself
	before identity // its status when it was checked
	sha256 string   // in hex, where it decided whether the binary may run
}

// origin names the program to people.
func (p *program) origin() string {
	if p.file == nil {
		return "this program, started again as its own plugin"
	}
	return "the plugin " + p.path
}

// Close lets go of the file. What runs already goes on.
func (p *program) Close() {
	if p.file != nil {
		_ = p.file.Close()
	}
}

// open checks a candidate's way and file, in this order. What it returns is open, so that the file that was checked can be told from any other.
func open(c candidate) (*program, error) {
	if !filepath.IsAbs(c.path) {
		return nil, refused(c.name, c.path, "give an absolute path", "its path is relative")
	}
	real, err := safeWay(c)
	if err != nil {
		return nil, c.refuse(err)
	}
	file, before, err := openSafe(real, c.strict)
	if err != nil {
		return nil, c.refuse(err)
	}
	return &program{name: c.name, path: real, file: file, before: before}, nil
}

// refuse makes an error of the user's of what stands against a candidate.
func (c candidate) refuse(err error) error {
	var u unsafeError
	var e *backend.Error
	switch {
	case errors.As(err, &u):
		return refused(c.name, c.path, u.hint, "%s", u.reason)
	case errors.Is(err, fs.ErrNotExist):
		return notFound(c.name, []string{filepath.Dir(c.path)})
	case errors.As(err, &e):
		return refused(c.name, c.path, e.Hint, "it can't be checked: %v", err)
	default:
		return refused(c.name, c.path, "", "it can't be checked: %v", err)
	}
}

// unsafeError is why a file or a directory isn't fit.
type unsafeError struct {
	reason, hint string
	untrusted    bool // it is no more than that its hash isn't trusted
}

func (e unsafeError) Error() string { return e.reason }

// unchanged looks again, after the start, at the file that was checked.
func (p *program) unchanged() error {
	if p.file == nil {
		return nil
	}
	now, err := identify(p.file)
	if err != nil || now != p.before || !stillThere(p) {
		return refused(p.name, p.path, "try again, once it is installed", "it changed while it was being started")
	}
	return nil
}
