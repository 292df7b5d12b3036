package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/msalext/msalext/extensions/backend"
)

// A database begins with 100 bytes (https://sqlite.org/fileformat.html): the
// magic text, and behind others the numbers that tell whose it is.
const (
	headerSize    = 100
	magic         = "SQLite format 3\x00"
	journalMagic  = 0xd9d505f920a163d7 // big-endian, at the beginning of the -journal file
	applicationID = 0x6d73616c         // "msal"
	schemaVersion = 1

	schemaVersionAt, applicationIDAt = 60, 68
)

// peek judges the file as it lies on the disk, before anything else looks at
// it or makes it private. What isn't there, or can't be opened, is reported
// better by what follows.
func (p place) peek() error {
	fi, err := os.Lstat(p.path)
	if err != nil || !fi.Mode().IsRegular() || fi.Size() == 0 {
		return nil
	}
	f, err := os.Open(p.path)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(f, head); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	switch plain := isDatabase(head); {
	case plain && int32At(head, applicationIDAt) != applicationID:
		return p.foreign()
	case plain && p.cipher != nil:
		return &backend.Error{
			Kind: backend.ErrInvalid, Err: fmt.Errorf("a key is set, and %s isn't encrypted", p.path),
			Hint: "leave key out, or migrate the items to an encrypted database at another location",
		}
	case plain || p.cipher != nil || p.unmade(head):
		return nil
	case fi.Size()%pageSize == 0:
		return &backend.Error{
			Kind: backend.ErrDecrypt, Err: fmt.Errorf("%s is an encrypted database, or none", p.path),
			Hint: "set key, or choose another location; the file is unchanged",
		}
	}
	return &backend.Error{
		Kind: backend.ErrCorrupt, Err: fmt.Errorf("%s isn't a SQLite database", p.path),
		Hint: "choose another location, or move the file away",
	}
}

func isDatabase(head []byte) bool { return string(head[:len(magic)]) == magic }

// verify tells, before SQLite does anything, whether the key fits and the
// schema is known. It has to come first: with a wrong key SQLite takes a
// -journal file for empty and may remove it.
//
// Application id and schema version are read from the main file. There they
// are right from the beginning, because the tables are made before the
// database gets a -wal file.
func (p place) verify(db *sqlite3.Conn) error {
	const attempts = 5 // somebody may be replacing the page just now
	var head []byte
	for i := range attempts {
		if i > 0 {
			time.Sleep(2 * time.Millisecond)
		}
		var err error
		if head, err = p.head(db); err != nil {
			return err
		}
		if isDatabase(head) {
			return p.ours(int32At(head, applicationIDAt), int32At(head, schemaVersionAt))
		}
	}
	switch {
	case p.unmade(head), p.cipher != nil && p.journaled():
		return nil
	case p.cipher == nil: // it was another file a moment ago
		return errAgain
	}
	return &backend.Error{
		Kind: backend.ErrDecrypt, Err: fmt.Errorf("%s can't be read with this key and cipher", p.path),
		Hint: "give the key and cipher that it was created with; the database is unchanged",
	}
}

// head returns the beginning of the database as it is in clear. What is behind
// the file's end is zero.
func (p place) head(db *sqlite3.Conn) ([]byte, error) {
	file, err := mainFile(db)
	if err != nil {
		return nil, err
	}
	head := make([]byte, headerSize)
	if _, err := file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head, nil
}

func int32At(head []byte, at int) int64 {
	return int64(int32(binary.BigEndian.Uint32(head[at:])))
}

func mainFile(db *sqlite3.Conn) (vfs.File, error) {
	pointer, err := db.FileControl("main", sqlite3.FCNTL_FILE_POINTER)
	if err != nil {
		return nil, err
	}
	file, ok := pointer.(vfs.File)
	if !ok {
		return nil, fmt.Errorf("the database's file is a %T", pointer)
	}
	return file, nil
}

// ours judges a readable database by its application id and schema version.
func (p place) ours(id, schema int64) error {
	switch {
	case id != applicationID:
		return p.foreign()
	case schema != schemaVersion:
		return &backend.Error{
			Kind: backend.ErrCorrupt, Err: fmt.Errorf("%s has schema version %d, and this program knows %d", p.path, schema, schemaVersion),
			Hint: "update this program if a newer one wrote it",
		}
	}
	return nil
}

func (p place) foreign() error {
	return &backend.Error{
		Kind: backend.ErrInvalid, Err: fmt.Errorf("%s is the database of another program", p.path),
		Hint: "choose another location",
	}
}

// unmade tells whether a power failure kept a plain database's first page from
// the disk when it was created, which SQLite undoes.
func (p place) unmade(head []byte) bool {
	return p.cipher == nil && !slices.ContainsFunc(head, func(b byte) bool { return b != 0 }) && p.journaled()
}

// journaled tells whether there is a -journal file, from which SQLite restores
// the first page where a power failure interrupted its replacement. Where that
// makes the page unreadable, the key is right all the same when it reads the
// beginning of the journal.
func (p place) journaled() bool {
	journal := p
	journal.path += "-journal"
	if fi, err := os.Lstat(journal.path); err != nil || fi.Size() == 0 {
		return false
	}
	db, err := journal.dial(sqlite3.OPEN_READONLY)
	if err != nil {
		return false
	}
	defer db.Close()
	head, err := journal.head(db)
	return err == nil && binary.BigEndian.Uint64(head) == journalMagic
}
