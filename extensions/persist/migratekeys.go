package persist

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// list names the items that from may hold.
func (m *migration) list(ctx context.Context) ([]string, error) {
	var keys []string
	var err error
	switch {
	case m.one != nil:
		return []string{m.one[0]}, nil
	case m.opts.Keys != nil:
		keys = slices.Clone(m.opts.Keys)
	default:
		keys, err = m.from.all(ctx, "migrate", nil)
	}
	slices.Sort(keys)
	return slices.Compact(keys), err
}

// complete refuses to leave items behind at a location that changes its backend.
func (m *migration) complete(ctx context.Context) error {
	if !m.moved || m.opts.Keys == nil {
		return nil
	}
	all, err := m.from.all(ctx, "migrate", m.opts.Keys)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, key := range m.opts.Keys {
		named[key] = true
	}
	for _, key := range all {
		if named[key] {
			continue
		}
		_, found, err := m.from.peek(ctx, key)
		if m.from.isAside(key) && unreadable(err) {
			continue
		}
		if err != nil || found {
			return errors.Join(m.invalid(fmt.Sprintf("the location changes its backend, and Keys leaves out %q", key),
				"name all keys, or none"), err)
		}
	}
	return nil
}

// stays tells whether what a source couldn't read is left there: nothing could be
// done with such a copy elsewhere, and it must not keep people from migrating. One
// that was asked for by its name is no such copy.
func (m *migration) stays(key string, err error) bool {
	return m.one == nil && m.opts.Keys == nil && m.from.isAside(key) && unreadable(err)
}

// all names the items that a store may have. Where each is a file, those of the
// known keys are told by that, since a file's name may not tell its key.
func (s *shared) all(ctx context.Context, op string, known []string) ([]string, error) {
	keys, err := []string{""}, error(nil)
	lister, can := backend.Can[backend.Lister](s.store, backend.CanList)
	switch {
	case can && (known == nil || s.info.Stamp != backend.StampData):
		keys, err = s.collect(s.patient(ctx, func(ctx context.Context) iter.Seq2[backend.KeyInfo, error] { return lister.Keys(ctx, "") }))
	case s.info.Stamp != backend.StampNone:
		keys, _, err = s.keysOfFiles(op, known)
	}
	return slices.DeleteFunc(keys, isProbe), err
}

func (s *shared) collect(infos iter.Seq2[backend.KeyInfo, error]) ([]string, error) {
	var keys []string
	for info, err := range infos {
		if err != nil {
			return nil, s.fail("list", err)
		}
		keys = append(keys, info.Key)
	}
	return keys, nil
}

// isProbe tells a key of Verify's from one that a program chose.
func isProbe(key string) bool { return probeKey().MatchString(key) }

var probeKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^probe-[A-Z2-7]{26}$`) })

// keysOfFiles reads the keys from the names of the files, as backend.PathFor
// makes them, that a store keeps its items in or has its signals in. untold are the
// paths of those whose names don't tell; then there is an error too.
func (s *shared) keysOfFiles(op string, known []string) (keys, untold []string, err error) {
	names := map[string]string{}
	for _, key := range known {
		names[backend.PathFor("", key)] = key
	}
	dir, base := filepath.Split(s.config.Path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, s.fail("list", err)
	}
	keys = []string{""}
	for _, e := range entries {
		name, ours := strings.CutPrefix(e.Name(), base+".key-")
		if !ours || strings.Contains(name, ".") { // PathFor writes dots as %2e: it is a lock or the like
			continue
		}
		key, found := names[".key-"+name]
		if !found {
			key, err = url.PathUnescape(name)
		}
		if err != nil || backend.PathFor("", key) != ".key-"+name {
			untold = append(untold, filepath.Join(dir, e.Name()))
			continue
		}
		keys = append(keys, key)
	}
	return keys, untold, s.untellable(op, untold)
}

func (s *shared) untellable(op string, paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	hint := "name all keys in MigrateOptions.Keys"
	switch op {
	case "purge":
		hint = "name all keys in PurgeOptions.Keys"
	case "rewrap":
		hint = hintRewrap
	}
	return &backend.Error{Op: op, Backend: s.name, Kind: backend.ErrUnsupported, Hint: hint,
		Err: fmt.Errorf("the key of %s can't be told from its name", strings.Join(paths, ", "))}
}
