//go:build redis

package redis

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

func TestWhatServersRefuse(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T){
		"READONLY": func(t *testing.T) {
			master := startServer(t)
			s := open(t, backend.Settings{"address": startServer(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.port)).address()}, nil)
			says(t, "save", trySave(soon(t), s), backend.ErrUnavailable, "is a replica")
		},
		"NOREPLICAS": func(t *testing.T) {
			s := open(t, backend.Settings{"address": startServer(t, "--min-replicas-to-write", "1").address()}, nil)
			says(t, "save", trySave(soon(t), s), backend.ErrUnavailable, "min-replicas-to-write")
		},
		"NOREPLICAS to a reader with a ttl": func(t *testing.T) {
			server := startServer(t)
			s := open(t, backend.Settings{"address": server.address(), "ttl": "1h"}, nil)
			v := save(t, s, "k", "data", backend.None)
			server.do(t, "pexpire", s.(*store).place.names.of("k"), 3_000_000)
			server.do(t, "config", "set", "min-replicas-to-write", "1")
			if blob, err := s.Load(soon(t), "k", backend.None); err != nil || blob.Version != v {
				t.Errorf("load: %+v, %v", blob, err)
			}
			_, err := s.Save(soon(t), "k", []byte("more"), v)
			says(t, "save", err, backend.ErrUnavailable, "min-replicas-to-write")
		},
		"OOM": func(t *testing.T) {
			server := startServer(t, "--maxmemory-policy", "noeviction")
			s := open(t, backend.Settings{"address": server.address()}, nil)
			server.do(t, "config", "set", "maxmemory", "1")
			says(t, "save", trySave(t.Context(), s), backend.ErrUnavailable, "memory is full")
		},
		"MISCONF": func(t *testing.T) {
			server := startServer(t, "--save", "3600 1")
			s := open(t, backend.Settings{"address": server.address()}, nil)
			server.do(t, "set", "x", "y")
			if err := os.RemoveAll(server.dir); err != nil {
				t.Fatal(err)
			}
			server.do(t, "bgsave")
			eventually(t, "the server can't write", func() error {
				if state, err := server.field(t.Context(), server.admin(t), "persistence", "rdb_last_bgsave_status"); err != nil || state != "err" {
					return fmt.Errorf("it is %s: %w", state, err)
				}
				return nil
			})
			says(t, "save", trySave(t.Context(), s), backend.ErrUnavailable, "can't write to its disk")
		},
		"LOADING": func(t *testing.T) {
			server := startServer(t)
			s := open(t, backend.Settings{"address": server.address()}, nil)
			v := save(t, s, "k", "data", backend.None)
			server.do(t, "debug", "populate", 20000)
			server.do(t, "save")
			server.kill(t)
			server.args = append(server.args, "--key-load-delay", "100", "--loading-process-events-interval-bytes", "1024")
			server.begin(t)
			admin := server.admin(t)
			eventually(t, "the server loads", func() error {
				if err := admin.Get(t.Context(), "x").Err(); code(err) != "LOADING" {
					return fmt.Errorf("it says %w", err)
				}
				return nil
			})
			if blob, err := s.Load(t.Context(), "k", v); err != nil || !blob.Unchanged { // it waits for that
				t.Errorf("%+v, %v", blob, err)
			}
		},
		"CLUSTERDOWN": func(t *testing.T) {
			server := startServer(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(testproc.FreePort(t)), "--cluster-announce-ip", "127.0.0.1")
			server.do(t, "cluster", "addslotsrange", 0, 16383)
			settings := backend.Settings{"address": server.address(), "cluster": "true"}
			eventually(t, "the Cluster works", func() error {
				s, err := Backend().Open(t.Context(), unused(t.TempDir(), settings, nil))
				if err == nil {
					err = errors.Join(trySave(soon(t), s), s.Close())
				}
				return err
			})
			s := open(t, settings, nil)
			server.do(t, "cluster", "delslotsrange", 0, 16383)
			says(t, "save", trySave(soon(t), s), backend.ErrUnavailable, "Cluster")
		},
		"no Cluster": func(t *testing.T) {
			_, err := Backend().Open(t.Context(), unused(t.TempDir(), backend.Settings{"address": startServer(t).address(), "cluster": "true"}, nil))
			says(t, "open", err, backend.ErrInvalid, "is no Cluster")
		},
		"a node of a Cluster": func(t *testing.T) {
			c := startShards(t)
			s := open(t, backend.Settings{"address": c.nodes[0].address()}, nil)
			var refused error
			for i := range 20 { // two thirds are on other nodes
				_, err := s.Save(soon(t), strconv.Itoa(i), []byte("x"), backend.None)
				if refused = err; err != nil {
					break
				}
			}
			says(t, "save", refused, backend.ErrUnavailable, "another node")
		},
		"no such database": func(t *testing.T) {
			_, err := Backend().Open(t.Context(), unused(t.TempDir(), backend.Settings{"address": startServer(t).address(), "db": "2"}, nil))
			says(t, "open", err, backend.ErrInvalid, "no database of that number")
		},
		"max clients": func(t *testing.T) {
			server := startServer(t)
			server.do(t, "config", "set", "maxclients", "1") // which the test has
			_, err := Backend().Open(soon(t), unused(t.TempDir(), backend.Settings{"address": server.address()}, nil))
			says(t, "open", err, backend.ErrUnavailable, "") // its reason may be lost with the connection
		},
		"unknown master": func(t *testing.T) {
			settings := startSentinels(t, patient).settings()
			settings["master-name"] = "nobody"
			_, err := Backend().Open(t.Context(), unused(t.TempDir(), settings, nil))
			says(t, "open", err, backend.ErrInvalid, "no master of that name")
		},
		"a user unknown": func(t *testing.T) {
			server := startServer(t)
			_, err := Backend().Open(t.Context(), unused(t.TempDir(), backend.Settings{"address": server.address(), "username": "x"}, map[string]backend.Secret{"password": backend.Secret(appPassword)}))
			says(t, "open", err, backend.ErrDenied, "no such user with this password")
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}
