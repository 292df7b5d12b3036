package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// naive stores tokens, successfully or not, and has somebody look while the
// database is open: closing it removes what is beside.
func naive(t *testing.T, m mode, path string, look func(error)) {
	t.Helper()
	registerNaive()
	registerVFS() // for checksums
	uri, journal := "file:"+path+"?vfs=naive", "wal"
	if m.Cipher != "" {
		uri += "-" + m.Cipher
	}
	if m.Cipher != "" || m.Rollback {
		journal = "persist"
	}
	db, err := sqlite3.OpenFlags(uri, sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if m.Cipher != "" {
		at, err := sqliteBackend{usual}.place(m.config(path))
		if err := errors.Join(err, db.Exec("PRAGMA hexkey = '"+at.key+"'")); err != nil {
			t.Fatal(err)
		}
	}
	// A rollback journal gets what is overwritten.
	change := fmt.Sprintf("UPDATE item SET data = x'%x'; UPDATE item SET data = x'00'", strings.Repeat(loot, 20))
	look(db.Exec("PRAGMA journal_mode = " + journal + ";" + change))
}

var registerNaive = sync.OnceFunc(func() {
	vfs.Register("naive", follower{vfs.Find("")})
	for _, c := range ciphers {
		vfs.Register("naive-"+c.name, c.wrap(follower{vfs.Find("")}))
	}
})

// follower opens files by name and looks no further.
type follower struct{ vfs.VFS }

func (f follower) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	const beside = vfs.OPEN_MAIN_JOURNAL | vfs.OPEN_WAL
	if flags&beside != 0 {
		of, err := os.OpenFile(name.String(), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, flags, err
		}
		return followed{of}, flags, nil
	}
	opened, out, err := vfsutil.WrapOpenFilename(f.VFS, name, flags)
	if target, linked := os.Readlink(name.String() + "-shm"); err == nil && linked == nil {
		opened = sharing{opened, vfs.NewSharedMemory(target, flags)}
	}
	return opened, out, err
}

// followed is a journal, which nobody locks.
type followed struct{ *os.File }

func (f followed) Sync(vfs.SyncFlag) error                       { return f.File.Sync() }
func (f followed) Size() (int64, error)                          { return f.Seek(0, io.SeekEnd) }
func (followed) Lock(vfs.LockLevel) error                        { return nil }
func (followed) Unlock(vfs.LockLevel) error                      { return nil }
func (followed) CheckReservedLock() (bool, error)                { return false, nil }
func (followed) SectorSize() int                                 { return pageSize }
func (followed) DeviceCharacteristics() vfs.DeviceCharacteristic { return 0 }

// sharing is a database that shares another file's memory.
type sharing struct {
	vfs.File
	memory vfs.SharedMemory
}

func (s sharing) SharedMemory() vfs.SharedMemory { return s.memory }
