package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

const pageSize = 4096

// schema is version 1. The key is a BLOB: any bytes, compared one by one. Its
// index serves lists; to load and save, idsOf leads to the row by one search
// instead of two. Times are in microseconds since 1970. data comes last, so
// that the others are found without reading through it.
const schema = `
CREATE TABLE item (
	id INTEGER PRIMARY KEY,
	key BLOB NOT NULL UNIQUE,
	version TEXT NOT NULL,
	modified INTEGER NOT NULL,
	expires INTEGER,
	data BLOB NOT NULL
) STRICT;
CREATE INDEX item_expires ON item (expires) WHERE expires IS NOT NULL;
`

// identity makes a database ours.
var identity = schema + `PRAGMA application_id = ` + itoa(applicationID) + `; PRAGMA user_version = ` + itoa(schemaVersion) + `;`

// settled are the settings of each connection. What SQLite would keep in
// temporary files stays in memory. A -wal file is cut when it begins anew, and
// begins anew often, since it holds what was deleted since.
//
// Not cell_size_check: it looks at all of a page's entries where a search looks
// at some. Among 100,000 items each load reads one more page that has hundreds,
// which made it a quarter slower than among 1,000. Checksums tell of damage.
const settled = `
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA journal_size_limit = 0;
PRAGMA wal_autocheckpoint = 250;
`

// existing says that a call doesn't create the database.
const existing = false

// errNothing: there is no database, so nothing is stored.
var errNothing = &backend.Error{Kind: backend.ErrNotFound}

// errAgain: somebody else created or replaced the database meanwhile.
var errAgain = errors.New("the database was replaced while it was opened")

// prepare makes the place fit for use, and calls warn for each file that
// others could read.
func (p place) prepare(warn func(path string)) error {
	if err := p.peek(); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".lockqueue"} {
		if p.path == "" && suffix != "" {
			break
		}
		tightened, err := atomicfile.Prepare(p.path + suffix)
		if err != nil {
			return err
		}
		if tightened {
			warn(p.path + suffix)
		}
	}
	return nil
}

// open opens a connection; errNothing where there is no database and it shall
// not be created.
func (p place) open(ctx context.Context, create bool) (*conn, error) {
	for began := time.Now(); ; {
		c, err := p.attempt(ctx, create)
		if !errors.Is(err, errAgain) || time.Since(began) > p.limits.patience {
			return c, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

func (p place) attempt(ctx context.Context, create bool) (*conn, error) {
	if err := p.prepare(func(string) {}); err != nil {
		return nil, err
	}
	fi, err := os.Lstat(p.path)
	missing := errors.Is(err, fs.ErrNotExist) || err == nil && fi.Size() == 0
	flags := sqlite3.OPEN_READWRITE
	switch {
	case missing && !create:
		return nil, errNothing
	case missing:
		flags |= sqlite3.OPEN_CREATE
	case err != nil:
		return nil, err
	}
	db, err := p.dial(flags)
	if err != nil {
		if _, now := os.Lstat(p.path); !missing && errors.Is(now, fs.ErrNotExist) {
			err = errAgain
		}
		return nil, err
	}
	c := &conn{place: p, db: db, stmts: map[string]*sqlite3.Stmt{}}
	if err := c.run(ctx, func(c *conn) error { return p.set(c, missing) }); err != nil {
		_ = c.close()
		return nil, err
	}
	return c, nil
}

// dial opens the file and sets the key; SQLite reads nothing yet. The library
// panics where the system doesn't give it 256 MB of addresses.
func (p place) dial(flags sqlite3.OpenFlag) (db *sqlite3.Conn, err error) {
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, panicked(r)
		}
	}()
	registerVFS()
	v := plainVFS
	if p.cipher != nil {
		v += "-" + p.cipher.name
	}
	uri := "file:" + (&url.URL{Path: filepath.ToSlash(p.path)}).EscapedPath() + "?vfs=" + v
	db, err = sqlite3.OpenFlags(uri, flags|sqlite3.OPEN_URI)
	if err != nil || p.cipher == nil {
		return db, err
	}
	if err := db.Exec("PRAGMA hexkey = '" + p.key + "'"); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// set makes a new connection ready.
func (p place) set(c *conn, missing bool) error {
	if err := c.identify(); err != nil {
		return err
	}
	if err := c.db.BusyHandler(c.wait); err != nil {
		return err
	}
	c.db.Limit(sqlite3.LIMIT_LENGTH, maxRow)
	if missing {
		if err := p.create(c); err != nil {
			return err
		}
	} else if err := p.verify(c.db); err != nil {
		return err
	}
	if err := c.db.Exec(settled); err != nil {
		return err
	}
	if err := p.recheck(c); err != nil { // then it is left alone: a journal mode would make a database of an empty file
		return err
	}
	if err := p.journal(c); err != nil {
		return err
	}
	return c.vetShared()
}

// create makes the tables. Before that nobody else can have: the lock shows
// whether the file is still empty.
func (p place) create(c *conn) error {
	if _, err := c.db.FileControl("main", sqlite3.FCNTL_RESERVE_BYTES, 8); err != nil { // for checksums
		return err
	}
	if err := c.db.Exec("PRAGMA secure_delete = ON; BEGIN EXCLUSIVE"); err != nil {
		return p.overtaken(err)
	}
	file, err := mainFile(c.db)
	if err != nil {
		return err
	}
	if size, err := file.Size(); err != nil || size > 0 {
		return errors.Join(err, errAgain)
	}
	return c.db.Exec(identity + "COMMIT")
}

// overtaken is errAgain where somebody else's database is why this one couldn't
// be begun.
func (p place) overtaken(err error) error {
	if fi, now := os.Lstat(p.path); errors.Is(err, sqlite3.NOTADB) && now == nil && fi.Size() > 0 {
		return errAgain
	}
	return err
}

// recheck asks SQLite, which knows what a -wal file adds, and has undone what a
// crash left of a creation.
func (p place) recheck(c *conn) error {
	id, err := c.number("PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	if id == 0 && version == 0 { // it was ours when it was opened
		return errAgain
	}
	return p.ours(id, version)
}

// journal chooses how transactions are kept. To change that, nobody else may
// have the database open; it stays as it is until then, which is safe except
// for a -wal file that machines share.
//
// An encrypted database has no -wal file: the ciphers encrypt blocks of 4 KiB, in
// which the end of one frame and the beginning of the next lie together. Who
// appends a frame writes the block with both, and who reads the first meanwhile
// would see neither. The other journal is read by whoever has the database alone.
func (p place) journal(c *conn) error {
	mode := "wal"
	if p.cipher != nil || !vfs.SupportsSharedMemory || !p.limits.shared(p.path) {
		mode = "truncate"
	}
	now, err := c.text("PRAGMA journal_mode")
	if err != nil || now == mode {
		return err
	}
	err = c.atOnce(func() error {
		_, err := c.text("PRAGMA journal_mode = " + mode)
		return err
	})
	if errors.Is(err, sqlite3.BUSY) && now != "wal" {
		return nil
	}
	return err
}
