// Package file is the backend that keeps each item in a plain file, readable
// by its owner alone.
//
// The bytes are stored as they are: MSAL Extensions for Python, .NET, Node and
// Go read and write the same file. Nothing encrypts them. Whoever gets at the
// file by another way than the running system (a backup, another system that
// mounts the disk, root) reads the tokens.
//
// Content is replaced in one step and survives a crash, see package
// atomicfile. Concurrent changes are the business of the host's file lock.
//
// Keys lists what is stored. Where a key is too long for a file's name, the item's
// file is named by a hash, and the key is kept in a file beside it, with ".name"
// behind that.
package file

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

const name = "file"

// Backend returns the backend "file". It has no settings. It is safe for
// concurrent use.
func Backend() backend.Backend { return fileBackend{} }

type fileBackend struct{}

func (fileBackend) Describe() backend.Description {
	return backend.Description{Name: name, Version: "1"}
}

// Open creates the directory of c.Path, for the user alone, where it is
// missing. ErrInvalid: a setting was given, or the location isn't absolute, is
// a directory, or is below a file. ErrDenied: the file or directory belongs to
// somebody else or can be written by others. A file that others could read is
// made private, with a warning to slog.Default.
func (b fileBackend) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fail("open", err)
	}
	if err := b.check(c); err != nil {
		return nil, err
	}
	tightened, err := atomicfile.Prepare(c.Path)
	if err != nil {
		return nil, fail("open", err)
	}
	s := &store{path: c.Path}
	s.warn(c.Path, tightened)
	return s, nil
}

func (b fileBackend) check(c backend.Config) error {
	all := backend.Settings{}
	for setting, value := range c.Settings {
		all[setting] = value
	}
	for setting := range c.Secrets {
		all[setting] = ""
	}
	if _, _, err := b.Describe().Split(all); err != nil {
		return err
	}
	if c.Path != "" && !filepath.IsAbs(c.Path) { // an empty one has a better error later
		return &backend.Error{
			Op: "open", Backend: name, Kind: backend.ErrInvalid,
			Err:  errors.New("the path " + c.Path + " is relative"),
			Hint: "make it absolute: the working directory may change",
		}
	}
	return nil
}

// store is one location.
type store struct {
	path   string
	closed atomic.Bool
	warned sync.Once
}

var (
	_ backend.Store  = (*store)(nil)
	_ backend.Lister = (*store)(nil)
)

func (s *store) Info() backend.Info {
	against := "other users, by file mode 0600"
	if runtime.GOOS == "windows" {
		against = "other users, by the file's access list"
	}
	return backend.Info{Against: against, Location: s.path, Stamp: backend.StampData, Caps: backend.CanList}
}

func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if err := s.usable(ctx); err != nil {
		return backend.Blob{}, fail("load", err)
	}
	path := backend.PathFor(s.path, key)
	blob, tightened, err := atomicfile.Load(path, have)
	s.warn(path, tightened)
	return blob, fail("load", err)
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if err := s.usable(ctx); err != nil {
		return backend.None, fail("save", err)
	}
	v, err := atomicfile.WriteItem(ctx, s.path, key, data, base)
	return v, fail("save", err)
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	if err := s.usable(ctx); err != nil {
		return fail("delete", err)
	}
	return fail("delete", atomicfile.RemoveItem(ctx, s.path, key, base))
}

func (s *store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		if err := s.usable(ctx); err != nil { // also where nothing is stored
			yield(backend.KeyInfo{}, fail("list", err))
			return
		}
		for info, err := range atomicfile.Keys(ctx, s.path, prefix) {
			if err == nil {
				err = s.usable(ctx)
			}
			if err != nil {
				yield(backend.KeyInfo{}, fail("list", err))
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *store) Close() error {
	s.closed.Store(true)
	return nil
}

func (s *store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return backend.ErrClosed
	}
	return ctx.Err()
}

// warn tells once that tokens were readable: whoever runs the program should
// know, and nobody reads it a hundred times.
func (s *store) warn(path string, tightened bool) {
	if tightened {
		s.warned.Do(func() {
			slog.Warn("msalext: other users could read the token cache until now; it is private again", slog.String("path", path))
		})
	}
}

func fail(op string, err error) error {
	return backend.Wrap(op, name, backend.ErrUnavailable, err)
}
