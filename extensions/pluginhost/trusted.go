package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// Trusted is a plugin binary that the user trusts as the plugin of one backend,
// by its hash. In [UserDir] and under [PinnedPlugin] nothing runs without, unless
// the program pins it; in other places a binary is trusted for its place.
type Trusted struct {
	Name   string    `json:"name"`   // of the backend
	SHA256 string    `json:"sha256"` // in hex
	Path   string    `json:"path"`   // where it was when it was trusted, symlinks resolved; for people
	Added  time.Time `json:"added"`  // in UTC, whole seconds
}

// TrustedPlugins returns what the user trusts, by name. It is empty where nothing
// was ever trusted.
//
// ErrCorrupt: the record can't be understood, or a newer version wrote it.
// ErrDenied: somebody else owns it or could write it. ErrUnavailable: there is no
// home directory.
func TrustedPlugins() ([]Trusted, error) {
	path, err := recordPath(userData())
	if err != nil {
		return nil, err
	}
	r, _, err := readRecord(path)
	return r.Plugins, err
}

// Trust records that the binary at path, an absolute one, may run for this user
// as the plugin of the backend that its file name tells, from [UserDir] too. What
// was trusted at that path before isn't any longer. The binary is read, not run.
// Whoever calls it has made sure where it is from.
//
// The errors are those of [Host.Find] for a path given in code, and of
// [TrustedPlugins]. ErrInvalid: the file isn't called like a plugin.
func Trust(ctx context.Context, path string) (Trusted, error) {
	name, err := nameOf(path)
	if err != nil {
		return Trusted{}, err
	}
	added, err := measure(candidate{name: name, path: path})
	if err != nil {
		return Trusted{}, err
	}
	return added, changeRecord(ctx, func(all []Trusted) []Trusted {
		return append(drop(all, func(t Trusted) bool { return t.same(added) || t.at(name, added.Path) }), added)
	})
}

// Untrust takes back what [Trust] recorded for a backend: all of its binaries, or
// the one with this SHA-256 in hex. It returns how many that were. A plugin that
// runs isn't ended. The errors are those of [TrustedPlugins].
func Untrust(ctx context.Context, name, sha256 string) (removed int, err error) {
	err = changeRecord(ctx, func(all []Trusted) []Trusted {
		left := drop(all, func(t Trusted) bool {
			return t.Name == name && (sha256 == "" || strings.EqualFold(t.SHA256, sha256))
		})
		removed = len(all) - len(left)
		return left
	})
	return removed, err
}

// Verify reads the whole binary again and tells whether it is what was trusted.
//
// ErrPluginNotFound: it isn't there any more. ErrPluginRefused, with a
// [*RefusedError]: it changed, or wouldn't be accepted at all.
func (t Trusted) Verify() error {
	c := candidate{name: t.Name, path: t.Path}
	now, err := measure(c)
	if err == nil && !now.same(t) {
		err = c.refuse(changedError(c, now.Path, now.SHA256, []Trusted{t}))
	}
	return err
}

// measure checks a candidate, and describes it as it would be trusted now.
func measure(c candidate) (Trusted, error) {
	p, err := open(c)
	if err != nil {
		return Trusted{}, err
	}
	defer p.Close()
	sum, err := p.hash()
	if err != nil {
		return Trusted{}, c.refuse(err)
	}
	return Trusted{Name: c.name, SHA256: sum, Path: p.path, Added: time.Now().UTC().Truncate(time.Second)}, nil
}

func (t Trusted) same(other Trusted) bool {
	return t.Name == other.Name && strings.EqualFold(t.SHA256, other.SHA256)
}

func (t Trusted) at(name, path string) bool { return t.Name == name && t.Path == path }

// drop leaves the list that it is given as it is.
func drop(all []Trusted, which func(Trusted) bool) []Trusted {
	return slices.DeleteFunc(slices.Clone(all), which)
}

// nameOf is the backend that a plugin's file name tells: fileName's inverse.
func nameOf(path string) (string, error) {
	base := filepath.Base(path)
	if runtime.GOOS == "windows" {
		base = strings.TrimSuffix(base, ".exe")
	}
	name, ok := strings.CutPrefix(base, namePrefix)
	if !ok || !nameRule.MatchString(name) || fileName(name) != filepath.Base(path) {
		return "", &backend.Error{Op: "look at a plugin", Kind: backend.ErrInvalid,
			Err:  fmt.Errorf("%s isn't called %s", path, fileName("NAME")),
			Hint: "name the file after its backend"}
	}
	return name, nil
}

var errNoHome = &backend.Error{Op: "find the user's plugins", Kind: backend.ErrUnavailable,
	Err: errors.New("there is no home directory"), Hint: "set HOME"}
