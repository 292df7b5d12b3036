//go:build redis

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/msal/web/redisstore"
)

// A master that Sentinels name is reached with both passwords, and without one it is
// told so, and not what the other is.
func TestSessionsBehindSentinels(t *testing.T) {
	server := startGuarded(t, "redis-server", "s3cret-server", "save \"\"\n")
	host, port, _ := net.SplitHostPort(server)
	watcher := startGuarded(t, "redis-sentinel", "s3cret-sentinel",
		fmt.Sprintf("sentinel monitor m %s %s 1\nsentinel auth-pass m s3cret-server\n", host, port))
	client := goredis.NewClient(&goredis.Options{Addr: server, Password: "s3cret-server"})
	defer client.Close()
	if err := client.Set(t.Context(), redisstore.Prefix+"damaged", "?", 0).Err(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("REDIS", watcher)
	for _, c := range []struct {
		server, sentinel string
		code             int
	}{
		{"s3cret-server", "s3cret-sentinel", exitOK},
		{"s3cret-other", "s3cret-sentinel", exitUnavailable},
		{"s3cret-server", "s3cret-other", exitUnavailable},
		{"", "s3cret-sentinel", exitUnavailable},
	} {
		t.Setenv("REDIS_PASSWORD", c.server)
		t.Setenv("SENTINEL_PASSWORD", c.sentinel)
		var out strings.Builder
		code := run(context.Background(), []string{"sessions", "list", "--verbose", "--redis-master", "m"}, strings.NewReader(""), &out, &out)
		if code != c.code || strings.Contains(out.String(), "s3cret") || (code == exitOK) != strings.Contains(out.String(), "can't be decoded") {
			t.Errorf("%+v: exit code %d: %s", c, code, &out)
		}
	}
}

// startGuarded starts a server that wants a password.
func startGuarded(t *testing.T, program, password, config string) (address string) {
	t.Helper()
	port := strconv.Itoa(testproc.FreePort(t))
	address = net.JoinHostPort("127.0.0.1", port)
	dir := t.TempDir()
	path := filepath.Join(dir, "server.conf")
	config = fmt.Sprintf("bind 127.0.0.1\nport %s\ndir %s\nrequirepass %s\n%s", port, dir, password, config)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client := goredis.NewClient(&goredis.Options{Addr: address, Password: password})
	defer client.Close()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err := client.Ping(context.Background()).Err(); err == nil {
			return address
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
