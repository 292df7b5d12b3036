//go:build !windows || windows_sqlite

package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/msalext/msalext/extensions/backend"
)

// The transactions are kept as the documentation says.
func TestJournal(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"plain": "wal", "adiantum": "truncate", "xts": "truncate", "rollback": "truncate"} {
		s := modes[name].store(t, cachePath(t))
		v := save(t, s, "k", "x", backend.None)
		save(t, s, "k", "y", v)
		err := s.pool.use(t.Context(), existing, func(c *conn) error {
			for pragma, want := range map[string]string{"journal_mode": want, "synchronous": "2", "secure_delete": "1", "checksum_verification": "1"} {
				if got, err := c.text("PRAGMA " + pragma); err != nil || got != want {
					t.Errorf("%s: %s is %q, %v", name, pragma, got, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// A database that was made where memory can't be shared gets its -wal file where
// it can, and the other way round.
func TestJournalChanges(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	filled(t, modes["rollback"], path)
	for _, name := range []string{"plain", "rollback", "plain"} {
		s := modes[name].store(t, path)
		holds(t, s, "k", "kept")
		err := s.pool.use(t.Context(), existing, func(c *conn) error {
			if got, err := c.text("PRAGMA journal_mode"); err != nil || (got == "wal") != (name == "plain") {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			return nil
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestFilesAtRest(t *testing.T) {
	t.Parallel()
	for name, m := range modes {
		path := filepath.Join(t.TempDir(), "new", "cache")
		s := m.store(t, path)
		if names := slices.Collect(keysIn(filepath.Dir(path))); len(names) != 0 {
			t.Errorf("%s: Open creates %v", name, names)
		}
		save(t, s, "k", "x", backend.None)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		names := slices.Collect(keysIn(filepath.Dir(path)))
		if fi, err := os.Stat(path + "-journal"); err == nil && fi.Size() == 0 {
			names = slices.DeleteFunc(names, func(n string) bool { return n == "cache-journal" })
		}
		if !slices.Equal(names, []string{"cache", "cache.lockqueue"}) {
			t.Errorf("%s: %v", name, names)
		}
	}
}

func keysIn(dir string) func(func(string) bool) {
	return func(yield func(string) bool) {
		files, _ := os.ReadDir(dir)
		for _, f := range files {
			if !yield(f.Name()) {
				return
			}
		}
	}
}

// A save that waits for another program's transaction ends with its context,
// or after the backend's own time, and says which.
func TestLockedByAnotherProgram(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	b := sqliteBackend{usual}
	b.limits.patience = 50 * time.Millisecond
	s, err := b.Open(t.Context(), backend.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	v := save(t, s, "k", "kept", backend.None)
	other := program(t, path)
	defer other.Close()
	if err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	_, err = s.Save(t.Context(), "k", []byte("new"), v)
	wants(t, "save", err, backend.ErrLockTimeout)
	patient := modes["plain"].store(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := patient.Save(ctx, "k", []byte("new"), v); !errors.Is(err, context.DeadlineExceeded) || backend.KindOf(err) != nil {
		t.Errorf("save with a deadline: %v", err)
	}
	closing := make(chan error, 1)
	go func() {
		_, err := patient.Save(t.Context(), "k", []byte("new"), v)
		closing <- err
	}()
	for len(patient.pool.slots) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := patient.Close(); err != nil {
		t.Error(err)
	}
	if err := <-closing; !errors.Is(err, backend.ErrClosed) {
		t.Errorf("save that waits while the store closes: %v", err)
	}
	holds(t, s, "k", "kept") // readers don't wait
	if err := other.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	save(t, s, "k", "new", v)
}

// A statement that runs ends with its context.
func TestInterrupts(t *testing.T) {
	t.Parallel()
	s := modes["plain"].store(t, cachePath(t))
	v := save(t, s, "k", "kept", backend.None)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.pool.write(ctx, existing, func(c *conn) error {
		time.AfterFunc(20*time.Millisecond, cancel)
		return c.change(func() error {
			if err := c.exec(sqlDelete, idsOf("k"), []byte("k")); err != nil {
				return err
			}
			return c.exec("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
		})
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if blob, err := s.Load(t.Context(), "k", backend.None); err != nil || blob.Version != v {
		t.Errorf("it wasn't undone: %v", err)
	}
}

// A panic of the library is an error, and the store goes on.
func TestPanics(t *testing.T) {
	t.Parallel()
	s := modes["plain"].store(t, cachePath(t))
	v := save(t, s, "k", "kept", backend.None)
	wants(t, "use", fail("save", s.pool.write(t.Context(), existing, func(c *conn) error {
		return c.change(func() error { panic("a secret") })
	})), backend.ErrUnavailable)
	holds(t, s, "k", "kept")
	save(t, s, "k", "new", v)
}

// Large items don't keep their memory, and what is too large is refused.
func TestLargeItemsAreLetGo(t *testing.T) {
	t.Parallel()
	s := modes["plain"].store(t, cachePath(t))
	save(t, s, "k", string(make([]byte, 2*largeItem)), backend.None)
	if _, err := s.Load(t.Context(), "k", backend.None); err != nil {
		t.Error(err)
	}
	if n := len(s.pool.idle); n > 0 {
		t.Errorf("%d connections are kept", n)
	}
	_, err := s.Save(t.Context(), string(make([]byte, maxRow)), []byte("x"), backend.None)
	wants(t, "save under a giant key", err, backend.ErrTooLarge)
}

// Keys whose hashes are equal keep apart, as long as there are no more than
// eight, and a ninth is refused.
func TestEqualHashes(t *testing.T) {
	t.Parallel()
	s := modes["plain"].store(t, cachePath(t))
	save(t, s, "mine", "mine", backend.None)
	err := s.pool.write(t.Context(), existing, func(c *conn) error {
		return c.change(func() error { // as if these had the hash of "theirs"
			for i := range int64(7) {
				if err := c.exec(sqlInsert, idsOf("theirs")+i, []byte{byte(i)}, int64(0), "v", []byte("x")); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	v := save(t, s, "theirs", "theirs", backend.None)
	holds(t, s, "theirs", "theirs")
	v = save(t, s, "theirs", "again", v)
	holds(t, s, "theirs", "again")
	if err := s.Delete(t.Context(), "theirs", v); err != nil {
		t.Fatal(err)
	}
	err = s.pool.write(t.Context(), existing, func(c *conn) error {
		return c.exec(sqlInsert, idsOf("theirs")+7, []byte("other"), int64(0), "v", []byte("x"))
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Save(t.Context(), "theirs", []byte("x"), backend.None)
	wants(t, "save", err, backend.ErrInvalid)
	holds(t, s, "mine", "mine")
}

// Loading and saving search one tree, whatever SQLite's planner thinks of it.
func TestPlan(t *testing.T) {
	t.Parallel()
	s := modes["plain"].store(t, cachePath(t))
	save(t, s, "k", "x", backend.None)
	err := s.pool.use(t.Context(), existing, func(c *conn) error {
		for _, sql := range []string{sqlLoad, sqlVersion, sqlUpdate, sqlDelete, sqlExpire} {
			err := c.each(func(s *sqlite3.Stmt) error {
				plan := s.ColumnText(3)
				if !strings.HasPrefix(plan, "SEARCH item USING INTEGER PRIMARY KEY") && !strings.HasPrefix(plan, "SCALAR SUBQUERY") {
					t.Errorf("%s: %s", sql, plan)
				}
				return nil
			}, "EXPLAIN QUERY PLAN "+sql)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A list looks at what it yields, and not at all that follows.
func TestPlanOfLists(t *testing.T) {
	t.Parallel()
	s := modes["plain"].store(t, cachePath(t))
	save(t, s, "k", "x", backend.None)
	err := s.pool.use(t.Context(), existing, func(c *conn) error {
		for sql, bounds := range map[string]string{sqlKeys: "(key>?)", sqlKeysBefore: "(key>? AND key<?)"} {
			plan, err := []string(nil), error(nil)
			err = c.each(func(s *sqlite3.Stmt) error {
				plan = append(plan, s.ColumnText(3))
				return nil
			}, "EXPLAIN QUERY PLAN "+sql)
			if err != nil || len(plan) != 1 || !strings.HasPrefix(plan[0], "SEARCH item USING INDEX") || !strings.HasSuffix(plan[0], bounds) {
				t.Errorf("%s: %q, %v", sql, plan, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Those who close a store at the same time don't wait for each other for ever.
func TestClosedByMany(t *testing.T) {
	t.Parallel()
	for range 20 {
		s := modes["plain"].store(t, cachePath(t))
		save(t, s, "k", "x", backend.None)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if _, err := s.Load(t.Context(), "k", backend.None); !errors.Is(err, backend.ErrClosed) {
			t.Errorf("after that: %v", err)
		}
	}
}

// Writers of this process that wait for another program don't keep its readers
// waiting.
func TestReadersPassWriters(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	s := modes["plain"].store(t, path)
	v := save(t, s, "k", "kept", backend.None)
	other := program(t, path)
	defer other.Close()
	if err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	saved := make(chan error)
	for range 2 * connections {
		go func() {
			_, err := s.Save(t.Context(), "k", []byte("new"), v)
			saved <- err
		}()
	}
	for len(s.pool.writing) == 0 {
		time.Sleep(time.Millisecond)
	}
	for range 100 {
		holds(t, s, "k", "kept")
	}
	if err := other.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	winners := 0
	for range 2 * connections {
		if err := <-saved; err == nil {
			winners++
		} else if !errors.Is(err, backend.ErrConflict) {
			t.Error(err)
		}
	}
	if winners != 1 {
		t.Errorf("%d writers won", winners)
	}
}
