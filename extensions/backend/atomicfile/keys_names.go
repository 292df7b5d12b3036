package atomicfile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

const (
	keyMark  = ".key-"        // of backend.PathFor
	hashMark = keyMark + "%h" // and where it wrote a hash
	// nameSuffix ends the name of the file that keeps a key which its item's
	// file doesn't tell. The content is the key and nothing else: its hash is in
	// the file's name, so a torn or foreign one shows. PathFor writes dots in
	// keys as "%2e", so no item has such a name.
	nameSuffix = ".name"
	// longestName bounds what is read for a key. No plugin may list a longer one.
	longestName = 1 << 20
)

// WriteItem is [Write] for the item of a key, in the file that
// [backend.PathFor] names. Where that name is a hash, the key is kept in a file
// of its own beside it, which is there, durably, before the item is.
func WriteItem(ctx context.Context, path, key string, data []byte, base backend.Version) (backend.Version, error) {
	at := backend.PathFor(path, key)
	return writeFile(ctx, at, data, base, func(dir *ownedfile.Dir) error {
		if !hashed(path, at) {
			return nil
		}
		return keepName(ctx, dir, at, key)
	})
}

// RemoveItem is [Remove] for an item of [WriteItem].
func RemoveItem(ctx context.Context, path, key string, base backend.Version) error {
	at := backend.PathFor(path, key)
	return removeFile(ctx, at, base, func() {
		if hashed(path, at) {
			// The item is gone. What is left of it then isn't listed, and goes
			// with the next look for such files.
			_ = os.Remove(at + nameSuffix)
		}
	})
}

func hashed(path, at string) bool { return strings.HasPrefix(at[len(path):], hashMark) }

// keepName writes the key beside the file at, unless it is there.
func keepName(ctx context.Context, dir *ownedfile.Dir, at, key string) error {
	if kept, err := keptName(at); err == nil && kept == key {
		return nil
	}
	f, err := writeTemp(at+nameSuffix, []byte(key))
	if err != nil {
		return err
	}
	if err := ownedfile.Publish(ctx, f, at+nameSuffix); err != nil {
		discard(f)
		return err
	}
	return dir.Sync()
}

// keptName reads the key of the file at, and checks that it is that.
func keptName(at string) (string, error) {
	f, err := ownedfile.Open(at+nameSuffix, os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, longestName+1))
	if err != nil {
		return "", ownedfile.Wrap("list", err)
	}
	key := string(data)
	if key == "" || !strings.HasSuffix(at, backend.PathFor("", key)) {
		return "", &backend.Error{Op: "list", Kind: backend.ErrCorrupt, Err: errors.New(at + nameSuffix + " holds another key")}
	}
	return key, nil
}

// spelled is the key that a file's name, behind that of the location, tells. A
// name with a dot, of a lock or the like, tells none.
func spelled(rest string) (key string, ok bool) {
	key, err := url.PathUnescape(strings.TrimPrefix(rest, keyMark))
	return key, err == nil && rest == backend.PathFor("", key)
}

// names are those files of the location's directory that may be items of it. A
// file that is replaced while the directory is read may show twice.
func (l listing) names(ctx context.Context) ([]string, error) {
	dir, err := os.Open(filepath.Clean(cmp.Or(l.dir, ".")))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, ownedfile.Wrap("list", err)
	}
	defer dir.Close()
	var names []string
	for ctx.Err() == nil {
		more, err := dir.Readdirnames(1024)
		for _, name := range more {
			if l.mayBeItem(name) {
				names = append(names, name)
			}
		}
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return slices.Compact(names), nil
		} else if err != nil {
			return nil, ownedfile.Wrap("list", err)
		}
	}
	return nil, backend.Wrap("list", "", nil, ctx.Err())
}

// mayBeItem leaves out what has a dot behind the mark: locks and the like, which
// are more than the items. It admits a location that was written in other letter
// case, which is the same one on some systems.
func (l listing) mayBeItem(name string) bool {
	n := len(l.base)
	if len(name) < n || !strings.EqualFold(name[:n], l.base) {
		return false
	}
	key, ok := strings.CutPrefix(name[n:], keyMark)
	return len(name) == n || ok && !strings.Contains(key, ".")
}

// isHash tells whether a file's name, behind that of the location, is a hash.
func isHash(rest string) bool {
	sum, ok := strings.CutPrefix(rest, hashMark)
	_, err := hex.DecodeString(sum)
	return ok && err == nil && len(sum) == 2*sha256.Size && sum == strings.ToLower(sum)
}
