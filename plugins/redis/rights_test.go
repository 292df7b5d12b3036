//go:build redis

package redis

import (
	"strconv"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

// What the documentation says that a user needs is enough, and what it says is
// needed for some settings is.
func TestRights(t *testing.T) {
	t.Parallel()
	secrets := map[string]backend.Secret{"password": backend.Secret(appPassword)}
	with := func(settings backend.Settings) backend.Settings { return merged(settings, "username", appUser) }
	cases := map[string]struct {
		start func(*testing.T) ([]*server, backend.Settings)
		right string
	}{
		"nothing else": {func(t *testing.T) ([]*server, backend.Settings) {
			s := startServer(t)
			return []*server{s}, backend.Settings{"address": s.address(), "ttl": "1h"}
		}, ""},
		"db": {func(t *testing.T) ([]*server, backend.Settings) {
			s := startServer(t)
			return []*server{s}, backend.Settings{"address": s.address(), "db": "1"}
		}, "+select"},
		"wait-replicas": {func(t *testing.T) ([]*server, backend.Settings) {
			s := startServer(t)
			startServer(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(s.port))
			return []*server{s}, backend.Settings{"address": s.address(), "wait-replicas": "1"}
		}, "+wait"},
		"Cluster": {func(t *testing.T) ([]*server, backend.Settings) {
			c := startShards(t)
			return c.nodes, c.settings()
		}, "+cluster|slots"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers, settings := c.start(t)
			if c.right != "" {
				for _, s := range servers {
					restrict(t, s)
				}
				s, err := Backend().Open(soon(t), unused(t.TempDir(), with(settings), secrets))
				if err == nil {
					err = trySave(soon(t), s)
					_ = s.Close()
				}
				says(t, "without "+c.right, err, backend.ErrDenied, "ACL")
			}
			for _, s := range servers {
				restrict(t, s, strings.Fields(c.right)...)
			}
			s := open(t, with(settings), secrets)
			v := save(t, s, "k", "data", backend.None)
			w := watching(t, s, "k")
			w.begun(t, s, "k")
			w.stop()
			blob, err := s.Load(t.Context(), "k", v)
			if err != nil || len(listed(t, s, "")) != 1 {
				t.Errorf("load and list: %v", err)
			}
			if err := s.(backend.Expirer).Expire(t.Context(), "k", 0); err != nil {
				t.Error(err)
			}
			if err := s.Delete(t.Context(), "k", blob.Version); err != nil {
				t.Error(err)
			}
		})
	}
}

// Sentinels have users of their own.
func TestRightsAtSentinels(t *testing.T) {
	t.Parallel()
	c := startSentinels(t, patient)
	for _, w := range c.watchers {
		w.do(t, "acl", "setuser", "watcher", "reset", "on", ">"+adminSecret, "+sentinel|get-master-addr-by-name", "+sentinel|sentinels",
			"+subscribe", "&+switch-master", "&+replica-reconf-done")
	}
	for _, s := range append(c.replicas, c.master) {
		restrict(t, s)
	}
	settings := merged(merged(c.settings(), "username", appUser), "sentinel-username", "watcher")
	password := backend.Secret(appPassword)
	_, err := Backend().Open(soon(t), unused(t.TempDir(), settings, map[string]backend.Secret{"password": password, "sentinel-password": password}))
	says(t, "a wrong password", err, backend.ErrDenied, "no such user with this password")

	s := open(t, settings, map[string]backend.Secret{"password": password, "sentinel-password": backend.Secret(adminSecret)})
	v := save(t, s, "k", "data", backend.None)
	eventually(t, "the replicas have it", func() error { return c.settled(t.Context(), t, c.master, 2) })
	c.failover(t)
	if blob, err := s.Load(t.Context(), "k", v); err != nil || !blob.Unchanged {
		t.Errorf("after a failover: %+v, %v", blob, err)
	}
	save(t, s, "k", "more", v)
}
