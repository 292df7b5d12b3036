package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	_ "github.com/ncruces/go-sqlite3/driver" // calls itself sqlite3

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/plugins/redis"
	"github.com/msalext/msalext/plugins/sqlite"
)

// stores are where the app keeps who is signed in, and their tokens.
type stores struct {
	sessions scs.Store
	tokens   *extensions.Persistence
	shut     []func() error
}

func (k *stores) close() error {
	var err error
	for _, shut := range k.shut {
		err = errors.Join(err, shut())
	}
	return err
}

// about tells people where their tokens are.
func (k *stores) about() string {
	where, _, _ := strings.Cut(k.tokens.Backend(), "+")
	if k.tokens.IsEncrypted() {
		return "encrypted, in " + where
	}
	return "unencrypted, in " + where
}

// open opens both on Redis, or in files of this machine.
func (s *settings) open(ctx context.Context) (*stores, error) {
	if err := os.MkdirAll(filepath.Join(s.dir, "data"), 0o700); err != nil {
		return nil, err
	}
	k := &stores{}
	name, where := "sqlite", backend.Settings{}
	open := s.openDatabase
	if s.redis != "" {
		name, open = "redis", s.openRedis
	}
	if err := open(k, where); err != nil {
		return nil, errors.Join(err, k.close())
	}
	tokens, err := extensions.Open(ctx, name, filepath.Join(s.dir, "data", "tokens.db"), &extensions.Options{
		InProcess:  []backend.Backend{sqlite.Backend(), redis.Backend()},
		Settings:   map[string]backend.Settings{name: where},
		Envelope:   s.keys(),
		EnvelopeID: "webapp",
	})
	if err != nil {
		return nil, errors.Join(err, k.close())
	}
	k.tokens = tokens
	k.shut = append(k.shut, tokens.Close)
	return k, nil
}

// keys encrypt the tokens. The file is made when the first one is stored.
func (s *settings) keys() envelope.Keys {
	if s.sharedKey {
		return envelope.FromEnv("WEBAPP_KEY")
	}
	return &envelope.File{Path: filepath.Join(s.dir, "key", "tokens.key"), Create: true}
}

const schema = `
CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_expiry_idx ON sessions(expiry)`

func (s *settings) openDatabase(k *stores, _ backend.Settings) error {
	path := filepath.Join(s.dir, "data", "sessions.db")
	private, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite would let others read it
	if err != nil {
		return err
	}
	if err := private.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)")
	if err != nil {
		return err
	}
	kept := sqlite3store.New(db)
	k.sessions = kept
	k.shut = append(k.shut, func() error { kept.StopCleanup(); return db.Close() })
	_, err = db.Exec(schema)
	return err
}
