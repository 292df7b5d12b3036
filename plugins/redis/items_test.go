//go:build redis

package redis

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
)

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "redis-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "socket")
	startServer(t, "--unixsocket", path)
	s := open(t, backend.Settings{"address": path}, nil)
	v := save(t, s, "", "data", backend.None)
	if blob, err := s.Load(t.Context(), "", backend.None); err != nil || blob.Version != v {
		t.Errorf("%+v, %v", blob, err)
	}
}

// What lies there and isn't an item is neither shown nor overwritten.
func TestSomebodyElsesData(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	config := unused(t.TempDir(), backend.Settings{"address": server.address()}, nil)
	s, err := Backend().Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := names(config.Settings["prefix"])
	for key, command := range map[string][]any{
		"text": {"set", at.of("text"), "theirs"}, "list": {"rpush", at.of("list"), "theirs"},
		"hash": {"hset", at.of("hash"), "field", "theirs"}, "half": {"hset", at.of("half"), "v", "1"},
	} {
		server.do(t, command...)
		_, err := s.Load(t.Context(), key, backend.None)
		says(t, "load "+key, err, backend.ErrCorrupt, "didn't store")
		_, err = s.Save(t.Context(), key, []byte("x"), backend.None)
		says(t, "save "+key, err, backend.ErrCorrupt, "didn't store")
		says(t, "delete "+key, s.Delete(t.Context(), key, "1"), backend.ErrCorrupt, "didn't store")
		if n := server.do(t, "exists", at.of(key)); n != int64(1) {
			t.Errorf("%s is gone", key)
		}
	}
	for info, err := range s.(backend.Lister).Keys(t.Context(), "") {
		t.Errorf("it lists %q, %v", info.Key, err)
	}
}

func TestScriptsForgotten(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	replica := startServer(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(server.port))
	for _, settings := range []backend.Settings{
		{"address": server.address()}, {"address": server.address(), "wait-replicas": "1"},
	} {
		s := open(t, settings, nil)
		v := save(t, s, "k", "one", backend.None)
		for range 2 {
			server.do(t, "script", "flush")
			v = save(t, s, "k", "two", v)
			server.do(t, "script", "flush")
			if blob, err := s.Load(t.Context(), "k", backend.None); err != nil || blob.Version != v {
				t.Errorf("%+v, %v", blob, err)
			}
		}
		server.do(t, "script", "flush")
		if err := s.Delete(t.Context(), "k", v); err != nil {
			t.Error(err)
		}
	}
	if n := replica.do(t, "dbsize"); n != int64(0) {
		t.Errorf("%v keys are left at the replica", n)
	}
}

// Not parallel: it replaces the default logger.
func TestWarnsOnceOfEviction(t *testing.T) {
	server := startServer(t, "--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru")
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	open(t, backend.Settings{"address": server.address()}, nil)
	if strings.Contains(log.String(), "WARN") {
		t.Errorf("without a ttl nothing is volatile: %s", &log)
	}
	for range 3 {
		open(t, backend.Settings{"address": server.address(), "ttl": "1h"}, nil)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "volatile-lru") {
		t.Errorf("%d warnings: %s", n, &log)
	}
}

func TestEvictedIsNotFound(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--maxmemory", "4mb", "--maxmemory-policy", "allkeys-random")
	s := open(t, backend.Settings{"address": server.address()}, nil)
	v := save(t, s, "k", "data", backend.None)
	admin := server.admin(t)
	var err error
	for i := 0; err == nil && i < 100000; i++ {
		if e := admin.Set(t.Context(), strconv.Itoa(i), strings.Repeat("x", 10000), 0).Err(); e != nil {
			t.Fatal(e)
		}
		_, err = s.Load(t.Context(), "k", v)
	}
	if !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if again := save(t, s, "k", "data", backend.None); again == v {
		t.Error("the version came back")
	}
}

// The server may take less than Redis usually does.
func TestServersOwnLimit(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--proto-max-bulk-len", "1mb")
	s := open(t, backend.Settings{"address": server.address()}, nil)
	if got := s.Info().MaxBytes; got != 1<<20 {
		t.Errorf("it takes %d", got)
	}
	_, err := s.Save(t.Context(), "", make([]byte, 1<<20+1), backend.None)
	says(t, "save", err, backend.ErrTooLarge, "1048577 bytes")
	save(t, s, "", string(make([]byte, 1<<20)), backend.None)
}

// A user who may not ask what the server is like can use it all the same.
func TestFewRights(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	c := server.admin(t)
	err := c.Do(t.Context(), "acl", "setuser", "few", "on", ">"+appPassword, "resetchannels", "resetkeys", "~test*", "-@all",
		"+eval", "+evalsha", "+@hash", "+type", "+time", "+exists", "+pttl", "+pexpire", "+persist", "+del", "+publish", "+scan").Err()
	if err != nil && !errors.Is(err, goredis.Nil) {
		t.Fatal(err)
	}
	s := open(t, backend.Settings{"address": server.address(), "username": "few", "ttl": "1h"}, map[string]backend.Secret{"password": backend.Secret(appPassword)})
	v := save(t, s, "k", "data", backend.None) // though it may not publish
	if err := s.Delete(t.Context(), "k", v); err != nil {
		t.Error(err)
	}
}
