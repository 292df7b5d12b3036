package persist

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A remnant is a file that the store, or a program that used it, has beside the
// location.
type remnant struct {
	path string
	of   string // the path of its item
	kind string // what it ends in behind that, and for asides and temporary files the beginning of it
	size int64
}

// The endings of the files of an item.
const (
	lockSuffix  = ".lockfile"
	queueSuffix = ".lockqueue"
	nameSuffix  = ".name"
	tempSuffix  = ".msalext-tmp-"
	recordOf    = ".msalext"
)

// remnants finds the files of the location by their names alone, which are ours:
// whatever else lies in the directory is left out. The location's own file is one,
// with an empty kind, and so is each item's.
func (s *shared) remnants() ([]remnant, error) {
	if s.config.Path == "" {
		return nil, nil
	}
	dir, base := filepath.Split(s.config.Path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.fail("list", err)
	}
	rule := remnantRule(base)
	var all []remnant
	for _, e := range entries {
		parts := rule.FindStringSubmatch(e.Name())
		if parts == nil || !e.Type().IsRegular() {
			continue
		}
		r := remnant{path: filepath.Join(dir, e.Name()), of: filepath.Join(dir, parts[1]), kind: kindOf(parts[2])}
		if r.kind == recordOf && parts[1] != base {
			continue // there is one for all items
		}
		fi, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // removed since
			continue
		} else if err != nil {
			return nil, s.fail("list", err)
		}
		r.size = fi.Size()
		all = append(all, r)
	}
	return all, nil
}

// remnantRule divides a file's name into its item's, as backend.PathFor makes it, and
// the rest.
func remnantRule(base string) *regexp.Regexp {
	return regexp.MustCompile(`^(` + regexp.QuoteMeta(base) + `(?:\.key-[a-z0-9_%-]+)?)` +
		`((?:\.msalext|\.name)?\.msalext-tmp-[0-9a-f]{16}|\.lockfile|\.lockqueue|\.writes|\.name|\.msalext|\.corrupt-\d{8}T\d{6}Z(?:-\d{1,2})?|)$`)
}

func kindOf(suffix string) string {
	switch {
	case strings.HasPrefix(suffix, asideMark):
		return asideMark
	case strings.Contains(suffix, tempSuffix):
		return tempSuffix
	}
	return suffix
}
