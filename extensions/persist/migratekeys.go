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
	lister, can := backend.Can[backend.Lister](m.from.store, backend.CanList)
	switch {
	case m.one != nil:
		return []string{m.one[0]}, nil
	case m.opts.Keys != nil:
		keys = slices.Clone(m.opts.Keys)
	case can:
		keys, err = m.from.collect(lister.Keys(ctx, ""))
	case m.from.info.Stamp != backend.StampNone:
		keys, err = m.from.keysOfFiles()
	default:
		keys = []string{""}
	}
	keys = slices.DeleteFunc(keys, isProbe)
	slices.Sort(keys)
	return slices.Compact(keys), err
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
// makes them, that a store keeps its items in or has its signals in.
func (s *shared) keysOfFiles() ([]string, error) {
	dir, base := filepath.Split(s.config.Path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, s.fail("list", err)
	}
	keys := []string{""}
	for _, e := range entries {
		name, ours := strings.CutPrefix(e.Name(), base+".key-")
		if !ours || strings.Contains(name, ".") { // PathFor writes dots as %2e: it is a lock or the like
			continue
		}
		key, err := url.PathUnescape(name)
		if err != nil || backend.PathFor("", key) != ".key-"+name {
			return nil, &backend.Error{Op: "migrate", Backend: s.name, Kind: backend.ErrUnsupported,
				Err:  fmt.Errorf("the key of %s can't be told from its name", filepath.Join(dir, e.Name())),
				Hint: "name all keys in MigrateOptions.Keys"}
		}
		keys = append(keys, key)
	}
	return keys, nil
}
