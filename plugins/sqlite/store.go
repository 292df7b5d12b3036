package sqlite

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/msalext/msalext/extensions/backend"
)

// maxBytes is what a connection surely holds twice in its 256 MB of memory,
// and a plugin can pass on. maxRow leaves room for the key.
const (
	maxBytes = 32 << 20
	maxRow   = maxBytes + 1<<20
)

// largeItem is from where on a connection isn't used again: it never gives
// memory back.
const largeItem = 4 << 20

// store is one database.
type store struct {
	place  place
	pool   *pool
	warned sync.Once
}

var (
	_ backend.Store   = (*store)(nil)
	_ backend.Lister  = (*store)(nil)
	_ backend.Expirer = (*store)(nil)
	_ backend.Checker = (*store)(nil)
)

func (s *store) Info() backend.Info {
	info := backend.Info{
		Against:  "other users, by file mode 0600",
		Location: s.place.path,
		Stamp:    backend.StampNone,
		MaxBytes: maxBytes,
		Caps:     backend.CanList | backend.CanExpire | backend.CanCheck | backend.CanCAS,
	}
	if runtime.GOOS == "windows" {
		info.Against = "other users, by the file's access list"
	}
	if s.place.cipher != nil {
		info.Encrypted, info.Method = true, s.place.cipher.method
		info.Against = "whoever gets at the files without the key, to read them; not against putting older parts back"
	}
	return info
}

const (
	// The content of large items lies on pages of its own, which are read only
	// when it is asked for.
	sqlLoad = `SELECT version, coalesce(expires <= ?3, 0), CASE WHEN version = ?4 OR expires <= ?3 THEN NULL ELSE data END
		FROM item WHERE ` + ofKey + ` LIMIT 1`
	sqlVersion = `SELECT version FROM item WHERE ` + ofKey + ` AND (expires IS NULL OR expires > ?3) LIMIT 1`
	sqlUpdate  = `UPDATE item SET version = ?4, modified = ?3, data = ?5, expires = CASE WHEN expires > ?3 THEN expires END
		WHERE ` + rowOfKey
	sqlTaken  = `SELECT id FROM item WHERE id BETWEEN ?1 AND ?1 + 7`
	sqlInsert = `INSERT INTO item (id, key, version, modified, data) VALUES (?1, ?2, ?4, ?3, ?5)`
	sqlDelete = `DELETE FROM item WHERE ` + rowOfKey
	sqlPurge  = `DELETE FROM item WHERE id IN (SELECT id FROM item WHERE expires <= ?1 LIMIT 20)`
)

func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	var blob backend.Blob
	err := s.pool.use(ctx, existing, func(c *conn) (err error) {
		blob, err = c.load(key, have)
		return err
	})
	if err != nil {
		return backend.Blob{}, fail("load", err)
	}
	return blob, nil
}

func (c *conn) load(key string, have backend.Version) (blob backend.Blob, err error) {
	found, expired, now := false, false, micros(time.Now())
	err = c.each(func(s *sqlite3.Stmt) error {
		found, expired = true, s.ColumnBool(1)
		blob.Version = backend.Version(s.ColumnText(0))
		if blob.Unchanged = blob.Version == have; !blob.Unchanged && !expired {
			blob.Data = s.ColumnBlob(2, []byte{})
			return errors.Join(s.Err(), intact(blob))
		}
		return s.Err()
	}, sqlLoad, idsOf(key), []byte(key), now, string(have))
	c.spoilt = c.spoilt || len(blob.Data) > largeItem
	switch {
	case err != nil:
		return backend.Blob{}, err
	case expired:
		_ = c.atOnce(func() error { return c.change(func() error { return c.exec(sqlPurge, now) }) }) // whoever writes next does it too
		return backend.Blob{}, backend.ErrNotFound
	case !found:
		return backend.Blob{}, backend.ErrNotFound
	}
	return blob, nil
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if err := takes(data); err != nil {
		return backend.None, fail("save", err)
	}
	next := newVersion(data)
	err := s.replace(ctx, key, base, base == backend.None, func(c *conn, now int64) error {
		c.spoilt = c.spoilt || len(data) > largeItem
		return c.put(key, data, next, now)
	})
	if err != nil {
		return backend.None, fail("save", err)
	}
	return next, nil
}

func takes(data []byte) error {
	switch {
	case len(data) == 0:
		return &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("no data"), Hint: "to remove an item, delete it"}
	case len(data) > maxBytes:
		return &backend.Error{
			Kind: backend.ErrTooLarge, Err: fmt.Errorf("%d bytes, at most %d", len(data), maxBytes),
			Hint: "keep fewer accounts in one cache: a key for each user",
		}
	}
	return nil
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	err := s.replace(ctx, key, base, existing, func(c *conn, _ int64) error { return c.exec(sqlDelete, idsOf(key), []byte(key)) })
	if errors.Is(err, errNothing) && base == backend.None {
		return nil
	}
	if err == nil && base != backend.None {
		s.clear(ctx)
	}
	return fail("delete", err)
}

// replace changes an item in one transaction if it has the version base.
func (s *store) replace(ctx context.Context, key string, base backend.Version, create bool, fn func(c *conn, now int64) error) error {
	err := s.pool.write(ctx, create, func(c *conn) error {
		current, err := c.version(key, micros(time.Now()))
		switch {
		case err != nil:
			return err
		case current != base: // then there is nothing to wait for
			return backend.ErrConflict
		}
		err = c.change(func() error {
			now, err := c.begun(key, base)
			if err != nil {
				return err
			}
			return fn(c, now)
		})
		if errors.Is(err, sqlite3.FULL) {
			c.clear() // what was written in vain takes room in the -wal file
		}
		return err
	})
	if errors.Is(err, errNothing) && base != backend.None {
		return backend.ErrConflict
	}
	return err
}

// begun removes what has expired, and compares the version.
func (c *conn) begun(key string, base backend.Version) (now int64, err error) {
	now = micros(time.Now())
	if err := c.exec(sqlPurge, now); err != nil {
		return 0, err
	}
	current, err := c.version(key, now)
	if err == nil && current != base {
		err = backend.ErrConflict
	}
	return now, err
}

func (c *conn) version(key string, now int64) (v backend.Version, err error) {
	err = c.each(func(s *sqlite3.Stmt) error {
		v = backend.Version(s.ColumnText(0))
		return s.Err()
	}, sqlVersion, idsOf(key), []byte(key), now)
	return v, err
}

// clear takes what was deleted out of the -wal file too. Where somebody is just
// reading, the next checkpoint does it.
func (s *store) clear(ctx context.Context) {
	_ = s.pool.write(ctx, existing, func(c *conn) error {
		c.clear()
		return nil
	})
}

func (c *conn) clear() {
	_ = c.atOnce(func() error {
		_, _, err := c.db.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
		return err
	})
}

// Close ends calls under way with ErrClosed.
func (s *store) Close() error { return fail("close", s.pool.shut()) }

// newVersion has two parts. 128 random bits: no version comes back, not with a
// backup either. And the beginning of the content's SHA-256: a page of zeros,
// as some file systems leave after a power failure, has the right checksum.
func newVersion(data []byte) backend.Version {
	return backend.Version(rand.Text() + "." + digest(data))
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// intact tells whether an item is what was saved.
func intact(b backend.Blob) error {
	if _, sum, ok := strings.Cut(string(b.Version), "."); !ok || sum != digest(b.Data) {
		return damaged
	}
	return nil
}

// micros are the microseconds since 1970.
func micros(t time.Time) int64 { return t.UnixMicro() }
