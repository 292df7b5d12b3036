//go:build redis

package redisstore

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/internal/testproc"
)

// patience is ten times and more what anything awaited needs.
const patience = 60 * time.Second

// startServer starts a redis-server of Debian's on loopback, that writes nothing
// to disk, and returns its port and a client.
func startServer(t testing.TB, args ...string) (port int, client *goredis.Client) {
	t.Helper()
	port = testproc.FreePort(t)
	cmd := exec.Command("redis-server", append([]string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", t.TempDir(), "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0",
	}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatalf("install redis-server: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client = goredis.NewClient(&goredis.Options{Addr: address(port), Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = client.Close() })
	eventually(t, "the server answers", func() error { return client.Ping(t.Context()).Err() })
	return port, client
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// startReplica starts a server that follows another, and waits until it does.
func startReplica(t testing.TB, of int, master *goredis.Client) *goredis.Client {
	t.Helper()
	_, replica := startServer(t, "--replicaof", fmt.Sprintf("127.0.0.1 %d", of))
	eventually(t, "the replica follows", func() error {
		n, err := master.Do(t.Context(), "wait", 1, 100).Int()
		if err == nil && n < 1 {
			err = fmt.Errorf("%d replicas", n)
		}
		return err
	})
	return replica
}

func eventually(t testing.TB, what string, is func() error) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := is()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
