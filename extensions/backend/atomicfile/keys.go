package atomicfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
)

// Keys lists the items at a location, for a store's Keys: those whose key begins
// with prefix, each once, in no order that means anything. Items that come or go
// meanwhile may be listed or not. A directory that isn't there holds none.
//
// Size is that of the file. What is no item isn't listed: locks, temporary and
// empty files, and whatever isn't a regular file. Whose the files are shows when
// they are loaded.
//
// The last thing it yields may be an error, beside all items that it could list.
// ErrCorrupt: a file is there whose name is a hash, and the key isn't kept
// beside it, as by a program that doesn't use [WriteItem].
func Keys(ctx context.Context, path, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		l := listing{path: path, prefix: prefix}
		l.dir, l.base = filepath.Split(path)
		names, err := l.names(ctx)
		if err != nil {
			yield(backend.KeyInfo{}, err)
			return
		}
		var unnamed error
		for _, name := range names {
			info, err := l.item(name)
			switch {
			case ctx.Err() != nil:
				yield(backend.KeyInfo{}, backend.Wrap("list", "", nil, ctx.Err()))
				return
			case errors.Is(err, errNoItem):
			case errors.Is(err, backend.ErrCorrupt):
				unnamed = err
			case err != nil:
				yield(backend.KeyInfo{}, err)
				return
			case !yield(info, nil):
				return
			}
		}
		if unnamed != nil {
			yield(backend.KeyInfo{}, unnamed)
		}
	}
}

// errNoItem: there is nothing to list under that name.
var errNoItem = errors.New("no item")

// listing is one Keys.
type listing struct{ path, dir, base, prefix string }

// item tells of the item whose file has this name.
func (l listing) item(name string) (backend.KeyInfo, error) {
	key, err := l.key(name)
	if err != nil || !strings.HasPrefix(key, l.prefix) {
		return backend.KeyInfo{}, orNoItem(err)
	}
	fi, err := stored(backend.PathFor(l.path, key))
	if err != nil {
		return backend.KeyInfo{}, err
	}
	if !strings.HasPrefix(name, l.base) && !sameFile(filepath.Join(l.dir, name), fi) {
		return backend.KeyInfo{}, errNoItem // of another location, where letter case counts
	}
	return backend.KeyInfo{Key: key, Size: fi.Size(), Modified: fi.ModTime()}, nil
}

func orNoItem(err error) error {
	if err == nil {
		return errNoItem
	}
	return err
}

// stored tells of an item's file, errNoItem where it holds none.
func stored(path string) (fs.FileInfo, error) {
	fi, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoItem
	case err != nil:
		return nil, ownedfile.Wrap("list", err)
	case !fi.Mode().IsRegular() || fi.Size() == 0:
		return nil, errNoItem
	}
	return fi, nil
}

func sameFile(path string, fi fs.FileInfo) bool {
	other, err := os.Lstat(path)
	return err == nil && os.SameFile(fi, other)
}

// key is the key of the item whose file has this name.
func (l listing) key(name string) (string, error) {
	rest := name[len(l.base):]
	if rest == "" {
		return "", nil
	}
	if key, ok := spelled(rest); ok {
		return key, nil
	}
	if !isHash(rest) {
		return "", errNoItem
	}
	return l.hashedKey(filepath.Join(l.dir, name))
}

// hashedKey is the key of an item whose file is named by a hash.
func (l listing) hashedKey(at string) (string, error) {
	var err error
	for range 3 { // it may have been deleted and saved again in between
		var key string
		if key, err = keptName(at); err == nil {
			return key, nil
		}
		if _, gone := stored(at); gone != nil {
			return "", gone
		}
	}
	switch kind := backend.KindOf(err); {
	case kind == backend.ErrUnavailable:
		return "", err
	case !ours(at):
		return "", errNoItem
	}
	return "", &backend.Error{
		Op: "list", Kind: backend.ErrCorrupt, Err: fmt.Errorf("the key of %s isn't known: %w", at, err),
		Hint: "save the item again under its key, or move the file away",
	}
}

// ours tells whether the file may be used. What others have put there is no
// reason to fail.
func ours(path string) bool {
	f, err := ownedfile.Open(path, os.O_RDONLY)
	if err != nil {
		return false
	}
	return f.Close() == nil
}
