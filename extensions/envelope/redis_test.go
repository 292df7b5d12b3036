//go:build redis && linux

package envelope_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/canary"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/redis"
)

// startRedis starts a server that listens at a socket and writes all it knows to
// its directory.
func startRedis(t *testing.T) (dir, socket string) {
	t.Helper()
	dir = testproc.SharedDir(t) // whose path is short enough for a socket
	socket = filepath.Join(dir, "s")
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--appendonly", "yes")
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: install redis-server", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_ = conn.Close()
			return dir, socket
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func redisAt(socket, prefix string) backend.Config {
	return backend.Config{Location: "cache", Path: "/nowhere/cache", Settings: backend.Settings{"address": socket, "prefix": prefix}}
}

func TestConformanceOverRedis(t *testing.T) {
	t.Parallel()
	_, socket := startRedis(t)
	conformanceAt(t, redis.Backend(), socket)
}

func TestConformanceOverTheRedisPlugin(t *testing.T) {
	t.Parallel()
	_, socket := startRedis(t)
	b := plugged(t, "redis")
	kept(t, b, redisAt(socket, "kept"))
	conformanceAt(t, b, socket)
}

func conformanceAt(t *testing.T, b backend.Backend, socket string) {
	places := 0
	backendtest.Run(t, &backendtest.Opener{Backend: wrapping{b, fixed}, NewConfig: func(backendtest.T) backend.Config {
		places++
		return redisAt(socket, fmt.Sprint("place ", places))
	}})
}

// wire is what passes through a socket before the server's.
type wire struct {
	mu   sync.Mutex
	seen []byte
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, p...)
	return len(p), nil
}

func (w *wire) shows(text string) []canary.Sighting {
	w.mu.Lock()
	defer w.mu.Unlock()
	return canary.Find(w.seen, text)
}

func tap(t *testing.T, server string) (*wire, string) {
	t.Helper()
	w, socket := &wire{}, server+".tap"
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", server)
			if err != nil {
				_ = near.Close()
				continue
			}
			pipe := func(to, from net.Conn) {
				_, _ = io.Copy(to, io.TeeReader(from, w))
				_ = to.Close()
			}
			go pipe(near, far)
			go pipe(far, near)
		}
	}()
	return w, socket
}

// Neither the server's files nor what passes between it and the backend shows
// anything.
func TestDumpOfRedis(t *testing.T) {
	t.Parallel()
	dir, server := startRedis(t)
	w, socket := tap(t, server)
	inner, err := redis.Backend().Open(t.Context(), redisAt(socket, "p"))
	if err != nil {
		t.Fatal(err)
	}
	s := envelope.Wrap(inner, envelope.Fixed(key("one")), nil)
	for _, name := range []string{"", "user"} {
		save(t, s, name, secretData, save(t, s, name, secretData, backend.None))
		holds(t, s, name, secretData)
	}
	save(t, inner, "plain", "a witness", backend.None)
	saveToDisk(t, server)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if found := w.shows(marker); len(found) > 0 || len(w.shows("a witness")) == 0 {
		t.Errorf("on the wire: %v", found)
	}
	witnesses := 0
	for _, pattern := range []string{"dump.rdb", "appendonlydir/*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if found := canary.Find(data, marker); err != nil || len(found) > 0 {
				t.Errorf("%s: %v, %v", path, found, err)
			}
			witnesses += len(canary.Find(data, "a witness"))
		}
	}
	if witnesses < 2 {
		t.Error("the check of the files is blind")
	}
}

// saveToDisk makes the server write a dump.
func saveToDisk(t *testing.T, server string) {
	t.Helper()
	conn, err := net.Dial("unix", server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "SAVE\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, err := bufio.NewReader(conn).ReadString('\n'); err != nil || answer != "+OK\r\n" {
		t.Fatalf("SAVE: %q, %v", answer, err)
	}
}
