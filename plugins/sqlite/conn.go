package sqlite

import (
	"context"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
)

// conn is a connection. One goroutine at a time uses it.
type conn struct {
	place   place
	db      *sqlite3.Conn
	file    fs.FileInfo // the database that it has open
	stmts   map[string]*sqlite3.Stmt
	waiting time.Time // since when it waits for another's lock
	hasty   bool      // it doesn't wait
	spoilt  bool      // it isn't used again
}

// identify notes which file is open.
func (c *conn) identify() error {
	file, err := mainFile(c.db)
	if err != nil {
		return err
	}
	c.file, err = statOf(file)
	return err
}

// vetShared checks the -shm file, which SQLite opens by itself at the first read.
func (c *conn) vetShared() error {
	mode, err := c.text("PRAGMA journal_mode")
	if err != nil || mode != "wal" {
		return err
	}
	if _, err := c.number("PRAGMA schema_version"); err != nil {
		return err
	}
	file, err := mainFile(c.db)
	if err != nil {
		return err
	}
	return vetOpened(vfsutil.WrapSharedMemory(file))
}

// current tells whether what it has open is what lies at the path. A backup
// that was put back, or a directory that was cleared, must not go unnoticed:
// what is written into a file without a name is lost.
func (c *conn) current(path string) bool {
	fi, err := os.Lstat(path)
	return err == nil && os.SameFile(fi, c.file)
}

// run uses the connection until ctx ends. SQLite's Go code panics where C
// would run out of memory or stop on an assertion; its state is unknown then.
func (c *conn) run(ctx context.Context, fn func(*conn) error) (err error) {
	c.db.SetInterrupt(ctx)
	defer func() {
		c.hasty = false
		if r := recover(); r != nil {
			c.spoilt, err = true, panicked(r)
			return
		}
		c.db.SetInterrupt(context.Background())
	}()
	return fn(c)
}

// wait is SQLite's question whether to try again for a lock of others. It is
// asked often: the queue leaves few who wait, and each pause keeps them all.
func (c *conn) wait(ctx context.Context, count int) bool {
	const longest = 400 * time.Microsecond // random, so that those who wait don't meet again
	if count == 0 {
		c.waiting = time.Now()
	}
	if c.hasty || time.Since(c.waiting) > c.place.limits.patience {
		return false
	}
	pause(ctx, rand.N(longest))
	return ctx.Err() == nil
}

// atOnce runs fn, which fails where it would have to wait for others.
func (c *conn) atOnce(fn func() error) error {
	c.hasty = true
	defer func() { c.hasty = false }()
	return fn()
}

// change runs fn in a transaction that nobody else's write can get between, if
// the schema is still known: a newer program may have changed it.
func (c *conn) change(fn func() error) (err error) {
	leave := func() {}
	if !c.hasty {
		leave = queue{c.place.path + ".lockqueue"}.enter(c.db.GetInterrupt(), c.place.limits.patience)
	}
	tx, err := c.db.BeginImmediate()
	leave()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	if err := c.place.recheck(c); err != nil {
		return err
	}
	return fn()
}

// each runs a statement and calls row for each row of the answer.
func (c *conn) each(row func(*sqlite3.Stmt) error, sql string, args ...any) (err error) {
	s := c.stmts[sql]
	if s == nil {
		if s, _, err = c.db.Prepare(sql); err != nil {
			return err
		}
		c.stmts[sql] = s
	}
	defer func() { // what was bound may be large, and secret
		_ = s.Reset()
		_ = s.ClearBindings()
	}()
	for i, arg := range args {
		if err := bind(s, i+1, arg); err != nil {
			return err
		}
	}
	for s.Step() {
		if err := row(s); err != nil {
			return err
		}
	}
	return s.Err()
}

func bind(s *sqlite3.Stmt, i int, arg any) error {
	switch arg := arg.(type) {
	case int64:
		return s.BindInt64(i, arg)
	case string:
		return s.BindText(i, arg)
	case []byte:
		return s.BindBlob(i, arg)
	}
	return s.BindNull(i)
}

func (c *conn) exec(sql string, args ...any) error {
	return c.each(func(*sqlite3.Stmt) error { return nil }, sql, args...)
}

// text is the answer of a statement that has one.
func (c *conn) text(sql string) (answer string, err error) {
	err = c.each(func(s *sqlite3.Stmt) error {
		answer = s.ColumnText(0)
		return nil
	}, sql)
	return answer, err
}

func (c *conn) number(sql string) (int64, error) {
	text, err := c.text(sql)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// close closes the connection. What is left over after a panic is more than
// can be cleaned up, but locks go with the files.
func (c *conn) close() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	for _, s := range c.stmts {
		_ = s.Close() // its error is that of its last use
	}
	return c.db.Close()
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
