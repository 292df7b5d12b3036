// Package sqlite is the backend that keeps any number of items in one SQLite
// database, for programs with many users: 100,000 caches cost no more files
// than one. It needs no cgo.
//
// Processes share the database without msalext's file lock: each change
// compares and swaps in one transaction, and is on the disk when it returns
// (synchronous=FULL). What a crash leaves is completed or undone by whoever
// opens the database next.
//
// # Files
//
// The database lies at the location itself. While it is in use there are two
// more, with "-wal" and "-shm" appended; the last process that closes it
// removes them. After a crash they stay and belong to the database: a backup
// needs all three, or one made by SQLite itself. An empty file with ".lockqueue"
// appended, by which writers take turns, stays. All have mode 0600.
//
// An encrypted database has the older rollback journal, a file with "-journal"
// appended, in place of the two: readers and writers then wait for each other.
// On network file systems processes of several machines can't share memory, as
// "-shm" requires. There (on Linux NFS, SMB, 9p, FUSE, Ceph and the like) that
// journal is used, too, and whether changes are safe depends on the file
// system's byte-range locks, which not all have right. A server's database
// such as Redis is the better choice between machines.
//
// The schema has a version; a newer one, or somebody else's database, is
// refused and left as it is. Pages carry SQLite's checksums (cksumvfs), so
// damage is noticed and reported instead of taken for a missing item. Programs
// without that extension may read the database, but must not write it.
//
// # Settings
//
//   - key: encrypts the database. 64 hexadecimal digits, which are 32 random
//     bytes, as "openssl rand -hex 32" prints; not a passphrase. It is secret.
//   - cipher: "adiantum" (default) or "xts" (AES-256). It needs key.
//
// Both ciphers are made for disks: they keep content secret from whoever gets
// at the files, tell who sees several states of them which parts changed, and
// don't stop somebody who can write them from putting older parts back.
// Names and sizes of the files, and the time of changes, aren't hidden.
//
// Without a key the content is readable for whoever can read the file: other
// users can't, by its mode; a backup, root, or a system that mounts the disk
// can.
//
// # What remains of deleted items
//
// Content that is deleted or overwritten is overwritten with zeros in the
// database (secure_delete). In "-wal" it stays until a checkpoint: Delete
// makes one, as far as no other process is reading just then, closing does,
// and writing does after each 250 pages (1 MB). What file system or disk keep
// of blocks that were in use before is beyond SQLite's reach; only a key helps.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

const name = "sqlite"

// Backend returns the backend "sqlite". It is safe for concurrent use.
func Backend() backend.Backend { return sqliteBackend{usual} }

type sqliteBackend struct{ limits limits }

// limits are what tests set otherwise.
type limits struct {
	patience time.Duration          // how long another process may keep the database locked
	shared   func(path string) bool // whether processes can share memory where the file lies
}

var usual = limits{patience: 20 * time.Second, shared: sharesMemory}

func (sqliteBackend) Describe() backend.Description {
	return backend.Description{
		Name: name, Version: "1",
		Settings: []backend.Setting{
			{Name: "key", Doc: "encrypts the database: 64 hexadecimal digits, random and not a passphrase", Secret: true},
			{Name: "cipher", Doc: "adiantum or xts; default adiantum; needs key"},
		},
	}
}

// Open creates the directory of c.Path where it is missing, and looks at the
// database if there is one; the first Save creates it. A database that others
// could read is made private, with a warning to slog.Default.
//
// ErrInvalid: a setting is wrong, the location isn't absolute, is a directory,
// or another program's database, or key is given and the database isn't
// encrypted. ErrDecrypt: the key is wrong or missing. ErrCorrupt: it isn't a
// database, is damaged, or of a newer schema. ErrDenied: file or directory
// belong to somebody else, can be written by others, or can't be written by
// this user. ErrLockTimeout: another process keeps it locked.
func (b sqliteBackend) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fail("open", err)
	}
	at, err := b.place(c)
	if err != nil {
		return nil, fail("open", err)
	}
	s := &store{place: at, pool: newPool(at)}
	if err := at.prepare(s.warn); err != nil {
		return nil, fail("open", err)
	}
	err = s.pool.use(ctx, existing, func(*conn) error { return nil })
	if err != nil && !errors.Is(err, errNothing) {
		_ = s.Close()
		return nil, fail("open", err)
	}
	return s, nil
}

func (b sqliteBackend) place(c backend.Config) (place, error) {
	all := maps.Clone(c.Settings)
	if all == nil {
		all = backend.Settings{}
	}
	for setting, value := range c.Secrets {
		all[setting] = string(value)
	}
	settings, secrets, err := b.Describe().Split(all) // wherever the key stands: it isn't overlooked
	if err != nil {
		return place{}, err
	}
	if c.Path != "" && !filepath.IsAbs(c.Path) { // an empty one has a better error later
		return place{}, &backend.Error{
			Kind: backend.ErrInvalid, Err: fmt.Errorf("the path %q is relative", c.Path),
			Hint: "make it absolute: the working directory may change",
		}
	}
	secret, has := secrets["key"]
	chosen, key, err := cipherFor(settings["cipher"], secret, has)
	return place{path: c.Path, cipher: chosen, key: key, limits: b.limits}, err
}

// place is a database and how it is opened.
type place struct {
	path   string
	cipher *cipher // nil: plain
	key    string  // of the cipher, in hex
	limits limits
}

// warn tells once that tokens were readable: whoever runs the program should
// know, and nobody reads it a hundred times.
func (s *store) warn(path string) {
	s.warned.Do(func() {
		slog.Warn("msalext: other users could read the token database until now; it is private again", slog.String("path", path))
	})
}

func fail(op string, err error) error {
	return backend.Wrap(op, name, backend.ErrUnavailable, err)
}
