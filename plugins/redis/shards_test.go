//go:build redis

package redis

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// shards are three masters and a replica of each.
type shards struct{ nodes []*server }

func startShards(t testing.TB, args ...string) *shards {
	t.Helper()
	c := &shards{}
	var addresses []string
	for range 6 {
		more := append([]string{"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(testproc.FreePort(t)), "--cluster-node-timeout", "1500"}, args...)
		s := startServer(t, more...)
		c.nodes = append(c.nodes, s)
		addresses = append(addresses, s.address())
	}
	create := exec.CommandContext(t.Context(), "redis-cli", append([]string{"--cluster", "create"}, append(addresses, "--cluster-replicas", "1", "--cluster-yes")...)...)
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c.await(t)
	return c
}

// await waits until all nodes agree and each replica follows.
func (c *shards) await(t testing.TB) {
	t.Helper()
	for _, s := range c.nodes {
		admin := s.admin(t)
		eventually(t, "the Cluster is whole", func() error {
			info, err := admin.ClusterInfo(t.Context()).Result()
			nodes, err2 := admin.ClusterNodes(t.Context()).Result()
			if err := errors.Join(err, err2); err != nil || !strings.Contains(info, "cluster_state:ok") || strings.Count(nodes, "slave") != 3 || strings.Contains(nodes, "fail") {
				return fmt.Errorf("%s%s: %w", info, nodes, err)
			}
			role, err := s.field(t.Context(), admin, "replication", "role")
			if err != nil || role == "master" {
				return err
			}
			if up, err := s.field(t.Context(), admin, "replication", "master_link_status"); err != nil || up != "up" {
				return fmt.Errorf("a replica is %s: %w", up, err)
			}
			return nil
		})
	}
}

func (c *shards) settings() backend.Settings {
	return backend.Settings{"address": c.nodes[0].address() + "," + c.nodes[1].address()}
}

// holder is the master that has the main item of a place; nil: none at the
// moment.
func (c *shards) holder(t testing.TB, config backend.Config) *server {
	t.Helper()
	item := names(config.Settings["prefix"]).of("")
	for _, s := range c.nodes {
		n, err := s.admin(t).Exists(t.Context(), item).Result()
		if err == nil && n == 1 {
			return s // others answer MOVED
		}
	}
	return nil
}

// followerOf is the replica of a master.
func (c *shards) followerOf(t testing.TB, master *server) *server {
	t.Helper()
	for _, s := range c.nodes {
		if port, err := s.field(t.Context(), s.admin(t), "replication", "master_port"); err == nil && port == strconv.Itoa(master.port) {
			return s
		}
	}
	t.Fatal("it has no replica")
	return nil
}

// failover makes a master's replica take its place. On a busy machine the
// Cluster may give up on that.
func (c *shards) failover(t testing.TB, master *server) {
	t.Helper()
	follower := c.followerOf(t, master)
	admin := follower.admin(t)
	asked := time.Time{}
	eventually(t, "the master changes", func() error {
		if role, err := follower.field(t.Context(), admin, "replication", "role"); err != nil || role == "master" {
			return err
		}
		if time.Since(asked) > 6*time.Second { // it tries for 5
			asked = time.Now()
			return errors.Join(errors.New("asked"), admin.ClusterFailover(t.Context()).Err())
		}
		return errors.New("not yet")
	})
	c.await(t)
}
