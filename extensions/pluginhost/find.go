package pluginhost

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/selfplugin"
)

const (
	namePrefix   = "msalext-plugin-"
	pluginDirEnv = "MSALEXT_PLUGIN_DIR"
)

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// fileName is what the installed binary of a backend is called.
func fileName(name string) string {
	if runtime.GOOS == "windows" {
		return namePrefix + name + ".exe"
	}
	return namePrefix + name
}

// checkName keeps names from forming paths: they come from settings and files.
func checkName(name string) error {
	if nameRule.MatchString(name) {
		return nil
	}
	return &backend.Error{
		Op: "start plugin", Kind: backend.ErrInvalid,
		Err:  errors.New("a backend's name is 1 to 32 of a-z, 0-9 and \"-\", and doesn't begin with \"-\""),
		Hint: "correct the backend's name",
	}
}

// A place is a directory to search.
type place struct {
	dir     string
	strict  bool   // all of the way belongs to root or the system
	pinned  bool   // nothing runs without a known hash
	refusal string // why nothing there may run
}

// surroundings are the facts about system and process that decide where
// plugins may lie. Tests put others in their place.
type surroundings struct {
	elevated   bool
	system     []string
	executable func() (string, error) // symlinks resolved
	userData   func() string          // empty: there is none
	cacheDir   func() string          // empty: there is none
	policyFile string                 // empty: there is none
	lookupEnv  func(string) (string, bool)
	offered    func(string) bool
}

func here() surroundings {
	return surroundings{
		elevated:   elevated(),
		system:     systemDirs(),
		executable: executable,
		userData:   userData,
		cacheDir:   cacheDir,
		policyFile: PolicyFile(),
		lookupEnv:  os.LookupEnv,
		offered:    func(name string) bool { _, ok := selfplugin.Offered(name); return ok },
	}
}

// environment is where a plugin's inherited variables come from. In a program
// with rights that its user doesn't have, the user's variables mustn't decide
// which files and which session bus are used with those rights: the account does.
func (s surroundings) environment() func(string) (string, bool) {
	if !s.elevated {
		return s.lookupEnv
	}
	own := accountEnv()
	return func(key string) (string, bool) {
		value, ok := own[key]
		return value, ok
	}
}

func executable() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(exe)
}

func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return dir
}

// find returns the program that serves a backend, checked and held open; the
// caller closes it.
func (s surroundings) find(o *Options, name string) (*program, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if err := s.limit(o).forbids(name); err != nil {
		return nil, err
	}
	if _, ok := o.Plugins[name]; ok {
		return s.admit(o, s.inCode(o, name))
	}
	if s.offered(name) {
		return selfProgram(name)
	}
	return s.search(o, name)
}

func (s surroundings) search(o *Options, name string) (*program, error) {
	var searched []string
	for _, p := range s.places(o) {
		searched = append(searched, p.dir)
		path := filepath.Join(p.dir, fileName(name))
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if p.refusal != "" {
			return nil, refused(name, path, "", "%s", p.refusal)
		}
		return s.admit(o, p.candidate(o, name))
	}
	return nil, notFound(name, searched)
}

// inCode is the candidate whose path the program gives.
func (s surroundings) inCode(o *Options, name string) candidate {
	c := candidate{name: name, path: o.Plugins[name].Path, strict: s.elevated, hashes: o.Hashes[name]}
	if sum := o.Plugins[name].SHA256; sum != "" {
		c.hashes = []string{sum}
	}
	return c
}

// candidate is the binary of a backend in a place.
func (p place) candidate(o *Options, name string) candidate {
	return candidate{
		name: name, path: filepath.Join(p.dir, fileName(name)), within: p.dir,
		strict: p.strict, pinned: p.pinned, hashes: o.Hashes[name],
	}
}

// places lists the directories, first come first served.
func (s surroundings) places(o *Options) []place {
	var system []place
	for _, dir := range s.system {
		system = append(system, place{dir: dir, strict: true})
	}
	if s.elevated {
		return system
	}
	var all []place
	for _, dir := range o.Dirs {
		all = append(all, given(dir, "Options.Dirs"))
	}
	if dir, ok := s.lookupEnv(pluginDirEnv); ok && o.AllowEnv && dir != "" {
		all = append(all, given(dir, pluginDirEnv))
	}
	all = append(all, system...)
	if exe, err := s.executable(); err == nil {
		all = append(all, place{dir: filepath.Join(filepath.Dir(exe), "msalext-plugins")})
	}
	if data := s.userData(); data != "" {
		all = append(all, place{dir: filepath.Join(data, "msalext", "plugins"), pinned: true})
	}
	return all
}

func given(dir, by string) place {
	p := place{dir: dir}
	if !filepath.IsAbs(dir) {
		p.refusal = "its directory, from " + by + ", is a relative path"
	}
	return p
}
