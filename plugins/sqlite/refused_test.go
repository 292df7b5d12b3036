//go:build !windows || windows_sqlite

package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/msalext/msalext/extensions/backend"
)

// contents are all files of a directory, with what would show that one was
// written.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		fi, err1 := d.Info()
		data, err2 := os.ReadFile(path)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		all[d.Name()] = fi.Mode().String() + fi.ModTime().String() + string(data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sql runs statements on a database as another program does.
func sql(t *testing.T, path, statements string) {
	t.Helper()
	db := program(t, path)
	if err := errors.Join(db.Exec(statements), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// program opens a database as another program does.
func program(t *testing.T, path string) *sqlite3.Conn {
	t.Helper()
	defer func() {
		if r := recover(); r != nil { // the library has no memory here
			t.Fatal(r)
		}
	}()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// filled makes a closed database with an item.
func filled(t *testing.T, m mode, path string) {
	t.Helper()
	s := m.store(t, path)
	save(t, s, "k", "kept", backend.None)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func withKey(cipher, key string) backend.Config {
	c := mode{Cipher: cipher}.config("")
	c.Secrets["key"] = backend.Secret(key)
	return c
}

func TestRefusedUntouched(t *testing.T) {
	t.Parallel()
	const theirs = "CREATE TABLE item (key BLOB PRIMARY KEY, data BLOB); INSERT INTO item VALUES ('', 'theirs');"
	create := func(m mode) func(*testing.T, string) {
		return func(t *testing.T, path string) { filled(t, m, path) }
	}
	filledBy := func(statements string) func(*testing.T, string) {
		return func(t *testing.T, path string) { sql(t, path, statements) }
	}
	file := func(data string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name string
		make func(*testing.T, string)
		open backend.Config
		kind error
		says string
	}{
		{"another program's database", filledBy(theirs), backend.Config{}, backend.ErrInvalid, "another program"},
		{"one with a -wal file", filledBy("PRAGMA journal_mode = wal;" + theirs), backend.Config{}, backend.ErrInvalid, "another program"},
		{"one with an application id", filledBy("PRAGMA application_id = 1;" + theirs), backend.Config{}, backend.ErrInvalid, "another program"},
		{"another program's, with a key", filledBy(theirs), withKey("xts", testKey), backend.ErrInvalid, "another program"},
		{"a token cache in a file", file(`{"AccessToken":{}}`), backend.Config{}, backend.ErrCorrupt, "isn't a SQLite database"},
		{"a token cache in a file, with a key", file(`{"AccessToken":{}}`), withKey("adiantum", testKey), backend.ErrDecrypt, "can't be read with this key"},
		{"whole pages of something", file(strings.Repeat("x", 3*pageSize)), backend.Config{}, backend.ErrDecrypt, "encrypted database, or none"},
		{"one byte", file("S"), backend.Config{}, backend.ErrCorrupt, "isn't a SQLite database"},
		{"the magic text alone", file(magic), backend.Config{}, backend.ErrInvalid, "another program"},
		{"a key for what is plain", create(modes["plain"]), withKey("adiantum", testKey), backend.ErrInvalid, "isn't encrypted"},
		{"no key for what is encrypted", create(modes["adiantum"]), backend.Config{}, backend.ErrDecrypt, "encrypted database, or none"},
		{"no key for what is encrypted, xts", create(modes["xts"]), backend.Config{}, backend.ErrDecrypt, "encrypted database, or none"},
		{"a wrong key, adiantum", create(modes["adiantum"]), withKey("adiantum", wrongKey), backend.ErrDecrypt, "can't be read with this key"},
		{"a wrong key, xts", create(modes["xts"]), withKey("xts", wrongKey), backend.ErrDecrypt, "can't be read with this key"},
		{"another cipher", create(modes["xts"]), withKey("adiantum", testKey), backend.ErrDecrypt, "can't be read with this key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			tt.make(t, path)
			before := contents(t, filepath.Dir(path))
			tt.open.Path = path
			_, err := Backend().Open(t.Context(), tt.open)
			wants(t, "open", err, tt.kind)
			if err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v doesn't say %q", err, tt.says)
			}
			if diff := cmp.Diff(before, contents(t, filepath.Dir(path))); diff != "" {
				t.Errorf("it was touched: %s", diff)
			}
		})
	}
}

// What a newer version of this package may write isn't understood, whether it
// was there before or is written while the store is open.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	s := modes["plain"].store(t, path)
	v := save(t, s, "k", "kept", backend.None)
	sql(t, path, "PRAGMA user_version = 2")
	_, err := s.Save(t.Context(), "k", []byte("new"), v)
	wants(t, "save", err, backend.ErrCorrupt)
	wants(t, "delete", s.Delete(t.Context(), "k", v), backend.ErrCorrupt)
	wants(t, "expire", s.Expire(t.Context(), "k", time.Hour), backend.ErrCorrupt)
	sql(t, path, "UPDATE item SET expires = 1")
	if _, err := s.Load(t.Context(), "k", backend.None); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("load of what has expired: %v", err)
	}
	sql(t, path, "UPDATE item SET expires = NULL") // which it still can
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := contents(t, filepath.Dir(path))
	_, err = Backend().Open(t.Context(), backend.Config{Path: path})
	wants(t, "open", err, backend.ErrCorrupt)
	if err == nil || !strings.Contains(err.Error(), "version 2") || !strings.Contains(err.Error(), "update this program") {
		t.Errorf("it doesn't say what to do: %v", err)
	}
	if diff := cmp.Diff(before, contents(t, filepath.Dir(path))); diff != "" {
		t.Errorf("it was touched: %s", diff)
	}
	sql(t, path, "PRAGMA user_version = 1")
	holds(t, modes["plain"].store(t, path), "k", "kept")
}

// interrupted copies a database in the middle of a change, as a power failure
// leaves it: its pages, the first among them, are changed already, and the journal
// has what they were.
func interrupted(t *testing.T, m mode) (path string) {
	t.Helper()
	from := cachePath(t)
	filled(t, m, from)
	s := m.store(t, from)
	path = cachePath(t)
	stop := errors.New("power failure")
	err := s.pool.write(t.Context(), existing, func(c *conn) error {
		return c.change(func() error {
			if err := errors.Join(c.exec(sqlDelete, idsOf("k"), []byte("k")), c.db.Exec("PRAGMA user_version = 1"), c.db.CacheFlush()); err != nil {
				return err
			}
			for _, suffix := range []string{"", "-journal"} {
				data, err := os.ReadFile(from + suffix)
				if err := errors.Join(err, os.WriteFile(path+suffix, data, 0o600)); err != nil {
					return err
				}
			}
			return stop
		})
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path + "-journal"); err != nil || fi.Size() < pageSize {
		t.Fatal("the test proves nothing: no journal was left", err)
	}
	return path
}

// begun copies a database in the middle of its creation: as a process that was
// killed leaves it, or a power failure that kept the first page from the disk.
// Opening it undoes that.
func begun(t *testing.T, m mode, power bool) (path string) {
	t.Helper()
	at, err := m.backend().(sqliteBackend).place(m.config(cachePath(t)))
	if err != nil {
		t.Fatal(err)
	}
	db, err := at.dial(sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	path = cachePath(t)
	take := func(suffix string) {
		t.Helper()
		data, err := os.ReadFile(at.path + suffix)
		if err := errors.Join(err, os.WriteFile(path+suffix, data, 0o600)); err != nil || len(data) < 512 {
			t.Fatalf("%q: %d bytes, %v", suffix, len(data), err)
		}
	}
	_, err = db.FileControl("main", sqlite3.FCNTL_RESERVE_BYTES, 8)
	if err := errors.Join(err, db.Exec("BEGIN EXCLUSIVE;"+identity), db.CacheFlush()); err != nil { // but for the first page
		t.Fatal(err)
	}
	take("-journal")
	if power {
		take("")
	}
	if err := db.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	if !power {
		take("")
	}
	return path
}

// What was begun to be created is nothing, and not the database of another
// program.
func TestCreationThatWasBegun(t *testing.T) {
	t.Parallel()
	for name, m := range modes {
		for how, power := range map[string]bool{"killed": false, "power failure": true} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				path := begun(t, m, power)
				s := m.store(t, path)
				if _, err := s.Load(t.Context(), "k", backend.None); !errors.Is(err, backend.ErrNotFound) {
					t.Errorf("load: %v", err)
				}
				save(t, s, "k", "kept", backend.None)
				holds(t, m.store(t, path), "k", "kept")
			})
		}
	}
}

// Somebody with a wrong key must not make SQLite think that the journal is empty.
func TestWrongKeyLeavesTheJournal(t *testing.T) {
	t.Parallel()
	for _, cipher := range []string{"adiantum", "xts"} {
		t.Run(cipher, func(t *testing.T) {
			t.Parallel()
			path := interrupted(t, modes[cipher])
			before := contents(t, filepath.Dir(path))
			for _, c := range []backend.Config{withKey(cipher, wrongKey), {}} {
				c.Path = path
				_, err := Backend().Open(t.Context(), c)
				wants(t, "open", err, backend.ErrDecrypt)
			}
			if diff := cmp.Diff(before, contents(t, filepath.Dir(path))); diff != "" {
				t.Error("it was touched")
			}
			holds(t, modes[cipher].store(t, path), "k", "kept")
		})
	}
}

// A power failure can leave half of a page that was being replaced. The journal
// still has it, and shows that the key is right.
func TestTornFirstPage(t *testing.T) {
	t.Parallel()
	m := modes["adiantum"]
	path := interrupted(t, m)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(make([]byte, 512), 512)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	before := contents(t, filepath.Dir(path))
	c := withKey("adiantum", wrongKey)
	c.Path = path
	_, err = Backend().Open(t.Context(), c)
	wants(t, "open with a wrong key", err, backend.ErrDecrypt)
	if diff := cmp.Diff(before, contents(t, filepath.Dir(path))); diff != "" {
		t.Error("it was touched")
	}
	s := m.store(t, path)
	holds(t, s, "k", "kept")
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestEmptyFileIsNothing(t *testing.T) {
	t.Parallel()
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			s := m.store(t, path)
			if _, err := s.Load(t.Context(), "k", backend.None); !errors.Is(err, backend.ErrNotFound) {
				t.Error(err)
			}
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			save(t, s, "k", "new", backend.None)
			holds(t, m.store(t, path), "k", "new")
		})
	}
}

// The key isn't overlooked where a program has it among the other settings, and
// letter case and a line's end don't matter.
func TestKeyForms(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	filled(t, modes["adiantum"], path)
	for _, c := range []backend.Config{
		{Path: path, Settings: backend.Settings{"key": testKey}},
		{Path: path, Secrets: map[string]backend.Secret{"key": []byte(strings.ToUpper(testKey) + "\n")}},
	} {
		s, err := Backend().Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Info().Encrypted {
			t.Error("it doesn't say that it encrypts")
		}
		holds(t, s, "k", "kept")
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
