//go:build redis

package redis

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// What a server on a disk loses when it is killed depends on appendfsync.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	t.Run("appendfsync always loses nothing", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "--appendonly", "yes", "--appendfsync", "always")
		w := startWriters(t, 3, backend.Settings{"address": s.address()})
		for range 3 {
			w.more(t, 20)
			s.kill(t)
			s.start(t)
		}
		w.more(t, 20)
		w.loseNothing(t)
	})
	t.Run("appendfsync everysec may lose the last two seconds", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "--appendonly", "yes", "--appendfsync", "everysec")
		w := startWriters(t, 3, backend.Settings{"address": s.address()})
		w.more(t, 50)
		killed := time.Now()
		s.kill(t)
		s.start(t)
		w.more(t, 20)
		for line, at := range w.end(t) {
			if age := killed.Sub(at); age > 2500*time.Millisecond {
				t.Errorf("%s is lost, and was acknowledged %v before the server was killed", line, age)
			}
		}
	})
	t.Run("without AOF or RDB all is lost", func(t *testing.T) {
		t.Parallel()
		s := startServer(t)
		config := unused(t.TempDir(), backend.Settings{"address": s.address()}, nil)
		p, err := opened(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := add(t.Context(), p, "line"); err != nil {
			t.Fatal(err)
		}
		s.kill(t)
		s.start(t)
		if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("after a restart: %v", err)
		}
		if err := add(t.Context(), p, "again"); err != nil {
			t.Errorf("a change after that: %v", err)
		}
	})
}

func TestConnectionsCut(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newProxy(t, s.address())
	w := startWriters(t, 4, backend.Settings{"address": p.address()})
	admin := s.admin(t)
	for range 10 {
		w.more(t, 5)
		p.cut()
		w.more(t, 5)
		if err := admin.ClientKillByFilter(t.Context(), "TYPE", "normal").Err(); err != nil {
			t.Fatal(err)
		}
	}
	w.loseNothing(t)
}

// The Cluster's own failover hands over without losing anything. After a crash
// the replica has what it has acknowledged.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	t.Run("by command", func(t *testing.T) {
		t.Parallel()
		c := startShards(t)
		w := startWriters(t, 3, c.settings())
		for range 3 {
			master := c.holder(t, w.config)
			c.failover(t, master)
			w.more(t, 10)
		}
		w.loseNothing(t)
	})
	t.Run("by a crash, waiting for a replica", func(t *testing.T) {
		t.Parallel()
		c := startShards(t, "--cluster-replica-validity-factor", "0")
		settings := c.settings()
		settings["wait-replicas"] = "1"
		w := startWriters(t, 3, settings)
		master := c.holder(t, w.config)
		master.kill(t)
		eventually(t, "a replica takes over", func() error {
			if now := c.holder(t, w.config); now == nil || now == master {
				return errors.New("not yet")
			}
			return nil
		})
		master.start(t) // as a replica, which the changes wait for
		w.more(t, 20)
		w.loseNothing(t)
	})
}

func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	c := startSentinels(t, hasty)
	settings := c.settings()
	settings["wait-replicas"] = "2" // all, since any of them may become master
	w := startWriters(t, 3, settings)
	c.master.kill(t)
	eventually(t, "a replica takes over", func() error {
		if c.current(t) == c.master.address() {
			return errors.New("not yet")
		}
		return nil
	})
	c.master.start(t)
	w.more(t, 20)
	w.loseNothing(t)
}

// A server that hangs costs a call its deadline, and no more.
func TestServerHangs(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p, err := opened(t.Context(), unused(t.TempDir(), backend.Settings{"address": s.address()}, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := add(t.Context(), p, "line"); err != nil {
		t.Fatal(err)
	}
	signal := func(sig os.Signal) {
		if err := s.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrTimeout) || !strings.Contains(err.Error(), errSilent.Err.Error()) {
		t.Errorf("load: %v", err) // the store's word comes before persist's own, after 3 s
	}
	signal(syscall.SIGCONT)
	if err := add(t.Context(), p, "again"); err != nil {
		t.Error(err)
	}
}
