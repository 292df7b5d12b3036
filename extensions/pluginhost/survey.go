package pluginhost

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Installed is a plugin binary that was found, and what speaks against it.
type Installed struct {
	Name string // of the backend
	Path string // where it was found, symlinks not resolved
	// SHA256 is in hex; empty where the file isn't fit to be looked at.
	SHA256 string
	// Trusted is what the user's record says of this hash; nil: nothing.
	Trusted *Trusted
	// ShadowedBy is the binary that comes before it; empty: none. A refused one
	// shadows others too.
	ShadowedBy string
	// Self tells that the program itself offers the backend, which comes before
	// all binaries but those given in code.
	Self bool
	// Refusal is why it wouldn't run, a [*RefusedError] in an error of the kind
	// backend.ErrPluginRefused; nil: it may.
	Refusal error
	// Untrusted tells of Refusal that [Trust] would lift it.
	Untrusted bool
}

// Survey lists the plugin binaries in all places where this Host looks, in the
// order in which they are looked at. It reads them, and starts none. Directories
// that are missing or can't be read are left out.
func (h *Host) Survey() []Installed {
	o, s := &h.options, h.around
	var all []Installed
	for _, name := range slices.Sorted(maps.Keys(o.Plugins)) {
		all = append(all, s.look(o, s.inCode(o, name), ""))
	}
	for _, p := range s.places(o) {
		for _, name := range p.names() {
			i := s.look(o, p.candidate(o, name), p.refusal)
			i.Self = s.offered(name)
			all = append(all, i)
		}
	}
	first := map[string]string{}
	for i, found := range all {
		all[i].ShadowedBy = first[found.Name]
		if first[found.Name] == "" {
			first[found.Name] = found.Path
		}
	}
	return all
}

// Inspect looks at one binary as if its path, an absolute one, were given in code:
// no place speaks for it or against it. It isn't started.
//
// ErrInvalid: it isn't called like a plugin. ErrPluginNotFound: it isn't there.
func (h *Host) Inspect(path string) (Installed, error) {
	name, err := nameOf(path)
	if err != nil {
		return Installed{}, err
	}
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return Installed{}, notFound(name, []string{filepath.Dir(path)})
	}
	c := candidate{name: name, path: path, strict: h.around.elevated, hashes: h.options.Hashes[name]}
	c.pinned = filepath.Dir(path) == filepath.Join(h.around.userData(), "msalext", "plugins")
	return h.around.look(&h.options, c, ""), nil
}

// names lists the backends whose plugins lie in a place.
func (p place) names() []string {
	entries, _ := os.ReadDir(p.dir)
	var all []string
	for _, e := range entries {
		if name, err := nameOf(e.Name()); err == nil {
			all = append(all, name)
		}
	}
	return all
}

// look tells all about a candidate. against is what its place has against it.
func (s surroundings) look(o *Options, c candidate, against string) Installed {
	found := Installed{Name: c.name, Path: c.path}
	p, err := open(c)
	if err != nil {
		found.Refusal = err
	} else {
		defer p.Close()
		err := s.approve(o, c, p)
		if err != nil {
			u, _ := errors.AsType[unsafeError](err)
			found.Refusal, found.Untrusted = c.refuse(err), u.untrusted
		}
		found.SHA256, _ = s.sum(p)
		found.Trusted = s.trust(c.name, found.SHA256)
		if found.Refusal == nil {
			found.Refusal = o.refusesScript(p)
		}
	}
	if against != "" {
		found.Refusal, found.Untrusted = refused(c.name, c.path, "", "%s", against), false
	}
	if err := s.limit(o).forbids(c.name); err != nil {
		found.Refusal, found.Untrusted = err, false
	}
	return found
}

// trust is the user's word on a hash.
func (s surroundings) trust(name, sum string) *Trusted {
	all, _ := s.trusted(name)
	for _, t := range all {
		if sum != "" && strings.EqualFold(t.SHA256, sum) {
			return &t
		}
	}
	return nil
}
