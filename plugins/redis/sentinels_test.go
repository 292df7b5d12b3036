//go:build redis

package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// sentinels are a master, replicas and what watches them.
type sentinels struct {
	master   *server
	replicas []*server
	watchers []*server
}

const masterName = "tokens"

// A master that is silent for as long has ended for the Sentinels. Where a test
// doesn't wait for that, a busy machine mustn't look like it: what the replicas
// haven't received by then is lost.
const (
	hasty   = 500 * time.Millisecond
	patient = patienceOfTests
)

func startSentinels(t testing.TB, silence time.Duration) *sentinels {
	t.Helper()
	c := &sentinels{master: startServer(t)}
	for range 2 {
		c.replicas = append(c.replicas, startServer(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(c.master.port)))
	}
	for range 3 {
		c.watchers = append(c.watchers, startSentinel(t, c.master, silence))
	}
	eventually(t, "the replicas follow", func() error { return c.settled(t.Context(), t, c.master, 2) })
	for _, w := range c.watchers {
		admin := w.admin(t)
		eventually(t, "the Sentinels know all", func() error { return c.known(t.Context(), admin) })
	}
	return c
}

func startSentinel(t testing.TB, master *server, silence time.Duration) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), port: testproc.FreePort(t)}
	config := filepath.Join(s.dir, "sentinel.conf")
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %d 2\nsentinel down-after-milliseconds %s %d\nsentinel failover-timeout %s 5000\nsentinel parallel-syncs %s 2\n",
		s.port, s.dir, masterName, master.port, masterName, silence.Milliseconds(), masterName, masterName)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(t, "redis-sentinel", config)
	s.awaitAnswer(t)
	return s
}

// settled tells whether a server is a master with that many replicas.
func (c *sentinels) settled(ctx context.Context, t testing.TB, s *server, replicas int) error {
	admin := s.admin(t)
	defer admin.Close()
	for name, want := range map[string]string{"role": "master", "connected_slaves": strconv.Itoa(replicas)} {
		if got, err := s.field(ctx, admin, "replication", name); err != nil || got != want {
			return fmt.Errorf("%s is %q, %w", name, got, err)
		}
	}
	info, err := admin.Info(ctx, "replication").Result()
	if err != nil || strings.Count(info, "state=online") != replicas {
		return fmt.Errorf("the replicas aren't in step: %s, %w", info, err)
	}
	return nil
}

func (c *sentinels) known(ctx context.Context, admin *goredis.Client) error {
	replicas, err1 := admin.Do(ctx, "sentinel", "replicas", masterName).Slice()
	others, err2 := admin.Do(ctx, "sentinel", "sentinels", masterName).Slice()
	if err := errors.Join(err1, err2); err != nil || len(replicas) != 2 || len(others) != 2 {
		return fmt.Errorf("%d replicas, %d others, %w", len(replicas), len(others), err)
	}
	return nil
}

func (c *sentinels) settings() backend.Settings {
	var all []string
	for _, w := range c.watchers {
		all = append(all, w.address())
	}
	return backend.Settings{"address": strings.Join(all, ","), "master-name": masterName}
}

// current is the address of the master of the moment.
func (c *sentinels) current(t testing.TB) string { return c.watchers[0].master(t) }

// master is what a Sentinel says.
func (s *server) master(t testing.TB) string {
	t.Helper()
	pair, err := s.admin(t).Do(t.Context(), "sentinel", "get-master-addr-by-name", masterName).StringSlice()
	if err != nil || len(pair) != 2 {
		t.Fatalf("%v, %v", pair, err)
	}
	return net.JoinHostPort(pair[0], pair[1])
}

// failover lets a Sentinel change the master, and returns when all know, the old
// one too: until then it takes changes, which are lost.
func (c *sentinels) failover(t testing.TB) {
	t.Helper()
	before := c.current(t)
	c.watchers[0].do(t, "sentinel", "failover", masterName)
	eventually(t, "the master changes", func() error {
		for _, w := range c.watchers {
			if now := w.master(t); now == before {
				return errors.New("still " + now)
			}
		}
		for _, s := range append(c.replicas, c.master) {
			if role, err := s.field(t.Context(), s.admin(t), "replication", "role"); s.address() == before && role != "slave" {
				return fmt.Errorf("the old one is %s, %w", role, err)
			}
		}
		return nil
	})
}
