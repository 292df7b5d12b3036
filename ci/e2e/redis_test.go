//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// redisServer is a process of redis-server on loopback, which writes nothing to
// disk.
type redisServer struct {
	port, dir string
	cmd       *exec.Cmd
}

func (r *redisServer) start(t testing.TB, args ...string) {
	t.Helper()
	r.run(t, "redis-server", append([]string{"--bind", "127.0.0.1", "--port", r.port, "--dir", r.dir, "--save", "", "--appendonly", "no",
		"--repl-diskless-sync-delay", "0"}, args...)...)
}

func (r *redisServer) run(t testing.TB, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	if err := cmd.Start(); err != nil {
		t.Fatalf("install redis-server and redis-sentinel: %v", err)
	}
	r.cmd = cmd
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client := r.client(t)
	eventually(t, program+" answers", func() error { return client.Ping(t.Context()).Err() })
}

func (r *redisServer) kill(t testing.TB) {
	t.Helper()
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = r.cmd.Wait()
}

func (r *redisServer) client(t testing.TB) *goredis.Client {
	c := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:" + r.port, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// following are the arguments of a replica.
func following(of *redisServer) []string { return []string{"--replicaof", "127.0.0.1 " + of.port} }

const masterName = "webapp"

// cluster is a master, its replica, and who watches them.
type cluster struct {
	master, replica, sentinel *redisServer
}

func startCluster(t testing.TB) *cluster {
	t.Helper()
	anew := func() *redisServer { return &redisServer{port: freePort(t), dir: t.TempDir()} }
	c := &cluster{anew(), anew(), anew()}
	c.master.start(t)
	c.replica.start(t, following(c.master)...)
	c.awaitReplica(t, c.master)
	config := filepath.Join(c.sentinel.dir, "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %s 1\nsentinel down-after-milliseconds %s 700\nsentinel failover-timeout %s 5000\n",
		c.sentinel.port, c.sentinel.dir, masterName, c.master.port, masterName, masterName)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.sentinel.run(t, "redis-sentinel", config)
	admin := c.sentinel.client(t)
	eventually(t, "Sentinel knows the replica", func() error {
		all, err := admin.Do(t.Context(), "sentinel", "replicas", masterName).Slice()
		if err == nil && len(all) != 1 {
			err = fmt.Errorf("%d replicas", len(all))
		}
		return err
	})
	return c
}

// awaitReplica waits until a server has one that is in step.
func (c *cluster) awaitReplica(t testing.TB, of *redisServer) {
	t.Helper()
	client := of.client(t)
	eventually(t, "the replica is in step", func() error {
		n, err := client.Do(t.Context(), "wait", 1, 100).Int()
		if err == nil && n < 1 {
			err = errors.New("none acknowledges")
		}
		return err
	})
}

// failover kills the master, waits until the replica has taken its place, and
// starts the old one as its replica. It tells how long nobody could write.
func (c *cluster) failover(t testing.TB) time.Duration {
	t.Helper()
	began := time.Now()
	c.master.kill(t)
	admin := c.sentinel.client(t)
	eventually(t, "the replica is made master", func() error {
		now, err := admin.Do(t.Context(), "sentinel", "get-master-addr-by-name", masterName).StringSlice()
		if err == nil && (len(now) != 2 || now[1] != c.replica.port) {
			err = fmt.Errorf("the master is %v", now)
		}
		return err
	})
	c.master, c.replica = c.replica, c.master
	c.replica.start(t, following(c.master)...)
	c.awaitReplica(t, c.master)
	return time.Since(began)
}

// eventually waits until is finds nothing wrong.
func eventually(t testing.TB, what string, is func() error) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := is()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
