package web_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alexedwards/scs/sqlite3store"
	_ "github.com/ncruces/go-sqlite3/driver" // sql.Open finds it

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/plugins/sqlite"
)

// openTokens opens an encrypted database, as a server of its own does.
func openTokens(t *testing.T, path string) *persist.Persistence {
	t.Helper()
	c := backend.Config{Location: path, Path: path, Settings: backend.Settings{"key": strings.Repeat("5a", 32)}}
	store, err := sqlite.Backend().Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	p := persist.New("sqlite", store, c, nil)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func openSessions(t *testing.T, path string) *sqlite3store.SQLite3Store {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return sqlite3store.NewWithCleanupInterval(db, 0)
}
