package atomicfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/msalext/msalext/internal/ownedfile"
)

// dropOrphanNames removes the keys that are kept of items which aren't there:
// their writer or remover was killed in between. What was moved aside keeps its
// key. It does what it can and reports nothing, since nothing depends on it.
func dropOrphanNames(dir string) {
	orphans := orphanNames(dir)
	if len(orphans) == 0 {
		return
	}
	d, err := ownedfile.LockDir(context.Background(), dir) // writers keep key and item under one lock
	if err != nil {
		return
	}
	defer d.Close()
	for _, name := range orphans {
		item := filepath.Join(dir, strings.TrimSuffix(name, nameSuffix))
		if _, err := os.Lstat(item); errors.Is(err, fs.ErrNotExist) {
			_ = os.Remove(item + nameSuffix)
		}
	}
}

func orphanNames(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil
	}
	slices.Sort(names)
	var orphans []string
	for _, name := range names {
		item, ok := strings.CutSuffix(name, nameSuffix)
		if ok && isHash(item[max(strings.LastIndex(item, keyMark), 0):]) && !inUse(names, item) {
			orphans = append(orphans, name)
		}
	}
	return orphans
}

// inUse tells whether an item is there, or was moved aside.
func inUse(sorted []string, item string) bool {
	if _, found := slices.BinarySearch(sorted, item); found {
		return true
	}
	i, _ := slices.BinarySearch(sorted, item+".corrupt-")
	return i < len(sorted) && strings.HasPrefix(sorted[i], item+".corrupt-")
}
