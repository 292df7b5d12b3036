//go:build redis

package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/internal/testproc"
)

// server is a redis-server of Debian's on loopback, with a directory of its own.
type server struct {
	dir  string
	port int
	args []string
	cmd  *exec.Cmd
	log  *bytes.Buffer
	tls  bool // it listens at port by TLS alone
}

// usually keeps servers small and quiet. Nothing is written to disk.
var usually = []string{
	"--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--databases", "2", "--maxclients", "2000",
	"--repl-diskless-sync-delay", "0", "--repl-backlog-size", "1mb", "--enable-debug-command", "yes",
}

// startServer starts a server whose further arguments come over the usual ones.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), port: testproc.FreePort(t), args: args}
	s.start(t)
	return s
}

func (s *server) start(t testing.TB) {
	t.Helper()
	s.begin(t)
	s.awaitAnswer(t)
}

// begin starts the process and doesn't wait.
func (s *server) begin(t testing.TB) {
	t.Helper()
	s.run(t, "redis-server", append([]string{"--dir", s.dir, s.portArgument(), strconv.Itoa(s.port)}, append(usually, s.args...)...)...)
}

func (s *server) portArgument() string {
	if s.tls {
		return "--tls-port"
	}
	return "--port"
}

func (s *server) run(t testing.TB, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%v: install redis-server and redis-sentinel", err)
	}
	s.log = &bytes.Buffer{}
	s.cmd = exec.Command(path, args...)
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Dir = s.log, s.log, s.dir
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd := s.cmd
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// kill ends the server as a crash would.
func (s *server) kill(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
}

func (s *server) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// admin is a connection for the test's own commands.
func (s *server) admin(t testing.TB) *goredis.Client {
	t.Helper()
	c := goredis.NewClient(&goredis.Options{Addr: s.address(), Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, ReadTimeout: 20 * time.Second})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *server) awaitAnswer(t testing.TB) {
	t.Helper()
	if s.tls {
		eventually(t, "the server listens", func() error {
			conn, err := net.Dial("tcp", s.address())
			if err == nil {
				_ = conn.Close()
			}
			return err
		})
		return
	}
	c := s.admin(t)
	eventually(t, "the server answers", func() error { return c.Ping(t.Context()).Err() })
}

// do runs a command, which has to work.
func (s *server) do(t testing.TB, args ...any) any {
	t.Helper()
	v, err := s.admin(t).Do(t.Context(), args...).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		t.Fatalf("%v: %v", args, err)
	}
	return v
}

// patienceOfTests is ten times and more what anything awaited needs.
const patienceOfTests = 60 * time.Second

// eventually waits until is finds nothing wrong.
func eventually(t testing.TB, what string, is func() error) {
	t.Helper()
	deadline := time.Now().Add(patienceOfTests)
	for {
		err := is()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// field is a field of INFO.
func (s *server) field(ctx context.Context, c *goredis.Client, section, name string) (string, error) {
	info, err := c.Info(ctx, section).Result()
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return value, nil
		}
	}
	return "", errors.Join(err, fmt.Errorf("INFO has no %s", name))
}
