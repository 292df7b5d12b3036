package envelope

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// File keeps the keys in a file, for machines without a key store: on another
// disk than the data, or where backups don't look. In the directory of the data
// itself it is refused, since whoever copies the one copies the other.
//
// The file must belong to the user and be closed to others (0600 or 0400); a
// symbolic link is refused. One that others could read is refused too, and not
// only made private: the key may be known to them. It holds a key set as
// [FromItem] keeps it.
type File struct {
	// Path is the file's, absolute.
	Path string
	// Create makes the file, in a private directory, when the first item is
	// saved.
	Create bool
}

var (
	_ Keys    = (*File)(nil)
	_ Creator = (*File)(nil)
)

// Keys reads the file. ErrNotFound: there is none. ErrDenied: it isn't safe.
// ErrCorrupt: it isn't a key set. ErrInvalid: Path isn't absolute.
func (f *File) Keys(context.Context) (Key, []Key, error) {
	keys, _, err := f.read()
	if err != nil {
		return Key{}, nil, err
	}
	return keys[0], keys[1:], nil
}

func (f *File) read() ([]Key, backend.Version, error) {
	if err := f.safe(); err != nil {
		return nil, backend.None, err
	}
	blob, err := atomicfile.Read(f.Path)
	if err != nil {
		return nil, backend.None, err
	}
	defer clear(blob.Data)
	keys, err := parseKeySet(blob.Data)
	return keys, blob.Version, err
}

// safe refuses what reading would put right: a mode that is too open.
func (f *File) safe() error {
	if !filepath.IsAbs(f.Path) {
		return &backend.Error{Op: "open the key file", Kind: backend.ErrInvalid, Err: errors.New("the path " + f.Path + " is relative"),
			Hint: "make it absolute: the working directory may change"}
	}
	fi, err := os.Lstat(f.Path)
	if err != nil || runtime.GOOS == "windows" || fi.Mode().Type() == fs.ModeSymlink || fi.Mode().Perm()&0o077 == 0 {
		return nil // what else there is to say, reading says
	}
	return &backend.Error{Op: "open the key file", Kind: backend.ErrDenied,
		Err:  &os.PathError{Op: "open", Path: f.Path, Err: errors.New("other users can read or write the key")},
		Hint: "if nobody did, run: chmod 600 " + f.Path + "; else make a new key and rewrap what is stored"}
}

// CreateKey makes the file, where Create allows it and there is none. Of
// several processes that make it at once one does, and the others find it.
func (f *File) CreateKey(ctx context.Context) error {
	if !f.Create {
		return &backend.Error{Op: "create the key file", Kind: backend.ErrNotFound, Err: errors.New(f.Path),
			Hint: "create it, or set File.Create"}
	}
	if err := f.safe(); err != nil {
		return err
	}
	if _, err := atomicfile.Prepare(f.Path); err != nil {
		return err
	}
	err := f.write(ctx, []Key{NewKey()}, backend.None)
	if errors.Is(err, backend.ErrConflict) {
		return nil
	}
	return err
}

// Rotate adds a new key, which writes from now on; see [Item.Rotate].
func (f *File) Rotate(ctx context.Context) error {
	return f.change(ctx, func(keys []Key) []Key { return append([]Key{NewKey()}, keys...) })
}

// Retire removes all keys but the one that writes; see [Item.Retire].
func (f *File) Retire(ctx context.Context) error {
	return f.change(ctx, func(keys []Key) []Key { return keys[:1] })
}

func (f *File) change(ctx context.Context, fn func([]Key) []Key) error {
	for {
		keys, version, err := f.read()
		if err != nil {
			return err
		}
		if err := f.write(ctx, fn(keys), version); !errors.Is(err, backend.ErrConflict) {
			return err
		}
	}
}

func (f *File) write(ctx context.Context, keys []Key, base backend.Version) error {
	data, err := formatKeySet(keys)
	if err != nil {
		return err
	}
	defer clear(data)
	_, err = atomicfile.Write(ctx, f.Path, data, base)
	return err
}

// Source names the file.
func (f *File) Source() string { return "the file " + f.Path }

// apartFrom refuses a key file in the directory of the data.
func (f *File) apartFrom(location string) error {
	dir, _ := os.Stat(filepath.Dir(f.Path)) // nil: it isn't there yet
	for _, place := range []string{location, filepath.Dir(location)} {
		fi, err := os.Stat(place)
		if place == filepath.Dir(f.Path) || err == nil && dir != nil && os.SameFile(fi, dir) {
			return &backend.Error{Op: "open the key file", Kind: backend.ErrInvalid,
				Err:  errors.New("the key " + f.Path + " lies in the directory of what it encrypts"),
				Hint: "put it where backups and copies of that directory don't take it along"}
		}
	}
	return nil
}
