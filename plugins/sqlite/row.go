package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/msalext/msalext/extensions/backend"
)

// ofKey is true of the row of the key ?2, which has one of the eight ids from
// ?1 on. The "+" keeps SQLite from using the key's index, and LIMIT 1 from
// looking further, which would read one more page.
const (
	ofKey    = `id BETWEEN ?1 AND ?1 + 7 AND +key = ?2`
	rowOfKey = `id = (SELECT id FROM item WHERE ` + ofKey + ` LIMIT 1)`
)

// idsOf is the first of the eight ids that a key's row may have: a hash of the
// key. Eight, because somebody may look for keys with equal hashes; nine such
// keys are out of reach.
func idsOf(key string) int64 {
	sum := sha256.Sum256([]byte(key))
	return int64(binary.BigEndian.Uint64(sum[:])>>1) &^ 7
}

// put stores an item in its row, or a new one. An expired item's row is as
// good as new.
func (c *conn) put(key string, data []byte, v backend.Version, now int64) error {
	first := idsOf(key)
	if err := c.exec(sqlUpdate, first, []byte(key), now, string(v), data); err != nil || c.db.Changes() > 0 {
		return err
	}
	var taken [8]bool
	err := c.each(func(s *sqlite3.Stmt) error {
		taken[s.ColumnInt64(0)-first] = true
		return s.Err()
	}, sqlTaken, first)
	if err != nil {
		return err
	}
	for i, is := range taken {
		if !is {
			return c.exec(sqlInsert, first+int64(i), []byte(key), now, string(v), data)
		}
	}
	return &backend.Error{
		Kind: backend.ErrInvalid, Err: errors.New("there are eight other keys with the same hash"),
		Hint: "choose another key",
	}
}
