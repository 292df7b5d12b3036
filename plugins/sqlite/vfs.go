package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// plainVFS is the name by which SQLite knows guarded; with "-" and a cipher's
// name appended it also encrypts.
const plainVFS = "msalext"

var registerVFS = sync.OnceFunc(func() {
	base := guarded{vfs.Find("")}
	vfs.Register(plainVFS, base)
	for _, c := range ciphers {
		vfs.Register(plainVFS+"-"+c.name, c.wrap(base))
	}
})

// guarded opens files as package atomicfile wants them: for the user alone from
// the moment that they exist, and none that somebody else put there.
type guarded struct{ vfs.VFS }

var _ vfs.VFSFilename = guarded{}

// FullPathname leaves symbolic links unresolved. One in the last place would
// lead to a file that wasn't checked; those before it don't matter, since all
// files of a database lie in one directory.
func (guarded) FullPathname(path string) (string, error) { return filepath.Clean(path), nil }

// OpenFilename creates what is missing by itself: SQLite would let the umask
// decide who may read the file.
func (g guarded) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	path := name.String()
	if path == "" { // a temporary file without a name
		return vfsutil.WrapOpenFilename(g.VFS, name, flags)
	}
	const attempts = 10 // another process may remove the file in between
	var err error
	for range attempts {
		if err = vet(path, flags&vfs.OPEN_CREATE != 0); err != nil {
			break
		}
		if flags&vfs.OPEN_WAL != 0 { // SQLite opens this one by itself, next
			if err = vet(name.Database()+"-shm", true); err != nil {
				break
			}
		}
		opened, out, openErr := vfsutil.WrapOpenFilename(g.VFS, name, flags&^(vfs.OPEN_CREATE|vfs.OPEN_EXCLUSIVE))
		if openErr == nil {
			if err = vetOpened(opened); err == nil {
				return file{opened}, out, nil
			}
			_ = opened.Close()
			break
		}
		if err = openErr; flags&vfs.OPEN_CREATE == 0 || !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, flags, coded(err)
}

// vet checks a file, and creates it where it is missing and may be.
func vet(path string, create bool) error {
	if _, err := os.Lstat(path); create && errors.Is(err, fs.ErrNotExist) {
		if err := atomicfile.Touch(path); err != nil {
			return err
		}
		if err := syncDir(filepath.Dir(path)); err != nil {
			return err
		}
	}
	_, err := atomicfile.Prepare(path)
	return err
}

// vetOpened checks what was opened: between vet and that, somebody who can write
// the directory may have put a file there.
func vetOpened(f any) error {
	fi, err := statOf(f)
	if err != nil {
		return err
	}
	return private(fi)
}

// statOf is the status of an open file, or of memory that is shared by one.
func statOf(f any) (fs.FileInfo, error) {
	for {
		switch of := f.(type) {
		case interface{ Stat() (fs.FileInfo, error) }:
			return of.Stat()
		case vfs.FileUnwrap:
			f = of.Unwrap()
		default:
			return nil, fmt.Errorf("the database's file is a %T", f)
		}
	}
}

// syncDir makes new names in a directory durable: a journal that is gone after
// a power failure would take the transactions in it along. File systems that
// can't do it count as done, and Windows needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}

// coded gives SQLite a code for what the system says, of which it keeps the
// code alone.
func coded(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return vfs.SystemError(err, sqlite3.FULL)
	case errors.Is(err, syscall.EROFS):
		return vfs.SystemError(err, sqlite3.READONLY)
	case errors.Is(err, backend.ErrDenied), errors.Is(err, fs.ErrPermission):
		return vfs.SystemError(err, sqlite3.PERM)
	}
	return err
}

// file isn't read by mapping it into memory: the library's checksums can't be
// had together with that, and panic. Nor does it take hints how large it will
// be: its first bytes tell what it is, from the moment that it has any.
type file struct{ vfs.File }

var (
	_ vfs.FileUnwrap       = file{}
	_ vfs.FileSharedMemory = file{}
	_ vfs.FileHasMoved     = file{}
)

func (f file) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	return n, coded(err)
}

func (f file) Sync(flags vfs.SyncFlag) error { return coded(f.File.Sync(flags)) }

func (f file) Unwrap() vfs.File               { return f.File }
func (f file) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f file) HasMoved() (bool, error)        { return vfsutil.WrapHasMoved(f.File) }
