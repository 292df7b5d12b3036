package sqlite

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/msalext/msalext/extensions/backend"
)

const (
	sqlKeys = `SELECT key, length(data), modified FROM item
		WHERE key >= ?1 AND (expires IS NULL OR expires > ?2) ORDER BY key LIMIT 500`
	sqlKeysBefore = `SELECT key, length(data), modified FROM item
		WHERE key >= ?1 AND key < ?3 AND (expires IS NULL OR expires > ?2) ORDER BY key LIMIT 500`
	sqlItems  = `SELECT version, data FROM item`
	sqlExpire = `UPDATE item SET expires = ?4 WHERE ` + rowOfKey + ` AND (expires IS NULL OR expires > ?3)`
)

// Keys yields the keys in the order of their bytes. It reads some hundred at a
// time and holds nothing in between, so that whoever takes long, or uses the
// store meanwhile, keeps nobody waiting.
func (s *store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		for from, end := []byte(prefix), after(prefix); ; {
			some, err := s.keys(ctx, from, end)
			if err != nil {
				yield(backend.KeyInfo{}, fail("list", err))
				return
			}
			for _, info := range some {
				if !yield(info, nil) {
					return
				}
			}
			if len(some) == 0 {
				return
			}
			from = append([]byte(some[len(some)-1].Key), 0) // the least key that follows it
		}
	}
}

// keys is a page of the list; end nil: there is none.
func (s *store) keys(ctx context.Context, from, end []byte) (some []backend.KeyInfo, err error) {
	sql, args := sqlKeys, []any{from, micros(time.Now())}
	if end != nil {
		sql, args = sqlKeysBefore, append(args, end)
	}
	err = s.pool.use(ctx, existing, func(c *conn) error {
		return c.each(func(s *sqlite3.Stmt) error {
			some = append(some, backend.KeyInfo{
				Key: string(s.ColumnRawBlob(0)), Size: s.ColumnInt64(1), Modified: time.UnixMicro(s.ColumnInt64(2)),
			})
			return s.Err()
		}, sql, args...)
	})
	if errors.Is(err, errNothing) {
		return nil, nil
	}
	return some, err
}

// after is the least key behind all that begin with prefix; nil: there is none.
func after(prefix string) []byte {
	end := []byte(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

// Expire sets when an item ends. One that has ended isn't found, and what
// changes the database next removes it.
func (s *store) Expire(ctx context.Context, key string, ttl time.Duration) error {
	now := time.Now()
	var expires any
	if ttl > 0 {
		expires = micros(now.Add(ttl)) + 1 // not before
	}
	return fail("expire", s.pool.write(ctx, existing, func(c *conn) error {
		return c.change(func() error {
			if err := c.exec(sqlExpire, idsOf(key), []byte(key), micros(now), expires); err != nil {
				return err
			}
			if c.db.Changes() == 0 {
				return backend.ErrNotFound
			}
			return nil
		})
	}))
}

// Check reads the whole database: its structure (PRAGMA quick_check), each
// page's checksum and each item.
func (s *store) Check(ctx context.Context) error {
	err := s.pool.use(ctx, existing, func(c *conn) error {
		c.spoilt = true // it may have needed much memory
		result, err := c.text("PRAGMA quick_check(1)")
		switch {
		case err != nil:
			return err
		case result != "ok": // the answer may quote what is stored
			return damaged
		}
		return c.each(func(s *sqlite3.Stmt) error {
			return errors.Join(s.Err(), intact(backend.Blob{Version: backend.Version(s.ColumnText(0)), Data: s.ColumnRawBlob(1)}))
		}, sqlItems)
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return fail("check", err)
}
