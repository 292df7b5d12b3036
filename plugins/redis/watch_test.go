//go:build redis

package redis

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func TestWatchAcrossBrokenConnections(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	p := newProxy(t, server.address())
	s, writer := both(t, onlyTold(), backend.Settings{"address": p.address()}, backend.Settings{"address": server.address()})
	w := watching(t, s, "k")
	v := w.begun(t, writer, "k")
	for range 3 {
		p.hold()
		p.cut()
		v = save(t, writer, "k", "while nobody hears", v)
		p.release()
		w.until(t, v)
	}
	v = save(t, writer, "k", "after it", v)
	w.until(t, v)
}

// A server that vanishes closes nothing, and is found out by its silence.
func TestWatchOfASilentServer(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	p := newProxy(t, server.address())
	b := onlyTold()
	b.limits.beat = 200 * time.Millisecond
	s, writer := both(t, b, backend.Settings{"address": p.address()}, backend.Settings{"address": server.address()})
	w := watching(t, s, "k")
	v := w.begun(t, writer, "k")
	p.swallow()
	v = save(t, writer, "k", "while nothing comes through", v)
	p.swallowed()
	w.until(t, v)
}

func TestWatchOfARestartedServer(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--appendonly", "yes", "--appendfsync", "always")
	s, writer := both(t, onlyTold(), backend.Settings{"address": server.address()}, nil)
	w := watching(t, s, "k")
	v := w.begun(t, writer, "k")
	server.kill(t)
	server.start(t)
	v = save(t, writer, "k", "again", v)
	w.until(t, v)
}

func TestWatchEndsWhenTheServerStaysAway(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	b := untold()
	b.limits.lost = 3 * time.Second // of which each look has a third
	s, writer := both(t, b, backend.Settings{"address": server.address()}, nil)
	w := watching(t, s, "k")
	w.begun(t, writer, "k")
	server.kill(t)
	for range w.seen {
	}
	says(t, "watch", w.err, backend.ErrUnavailable, "no connection")
}

// What nobody publishes.
func TestWatchOfWhatGoesByItself(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	t.Run("it expires", func(t *testing.T) {
		t.Parallel()
		s, writer := both(t, onlyTold(), backend.Settings{"address": server.address()}, nil)
		w := watching(t, s, "k")
		w.begun(t, writer, "k")
		if err := writer.(backend.Expirer).Expire(t.Context(), "k", 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		w.until(t, backend.None)
	})
	t.Run("it is removed by hand", func(t *testing.T) {
		t.Parallel()
		s, writer := both(t, untold(), backend.Settings{"address": server.address()}, nil)
		w := watching(t, s, "k")
		w.begun(t, writer, "k")
		server.do(t, "del", s.(*store).place.names.of("k"))
		w.until(t, backend.None)
	})
}

// Many watches of a store share one connection.
func TestWatchesShareAConnection(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	s := open(t, backend.Settings{"address": server.address()}, nil)
	var all []*watched
	for i := range 50 {
		w := watching(t, s, strconv.Itoa(i%25))
		w.begun(t, s, strconv.Itoa(i%25))
		all = append(all, w)
	}
	subscribers := func() int {
		list, _ := server.do(t, "client", "list", "type", "pubsub").(string)
		return strings.Count(list, "\n")
	}
	if n := subscribers(); n != 1 {
		t.Errorf("%d connections", n)
	}
	for _, w := range all {
		w.stop()
	}
	eventually(t, "the connection goes with the last watch", func() error {
		if n := subscribers(); n != 0 {
			return fmt.Errorf("%d are left", n)
		}
		return nil
	})
}

// A watch lasts through a failover, and hears of changes at the new master.
func TestWatchAcrossFailover(t *testing.T) {
	t.Parallel()
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		c := startSentinels(t, hasty)
		s, writer := both(t, Backend().(*redisBackend), c.settings(), nil)
		w := watching(t, s, "k")
		w.begun(t, writer, "k")
		if err := c.master.cmd.Process.Signal(syscall.SIGSTOP); err != nil { // it closes no connection
			t.Fatal(err)
		}
		eventually(t, "a replica takes over", func() error {
			if c.current(t) == c.master.address() {
				return errors.New("not yet")
			}
			return nil
		})
		var v backend.Version
		eventually(t, "the new master takes changes", func() (err error) {
			blob, _ := writer.Load(t.Context(), "k", backend.None)
			v, err = writer.Save(t.Context(), "k", []byte("at the new one"), blob.Version)
			return err
		})
		w.until(t, v)
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		c := startShards(t)
		config := unused(t.TempDir(), c.settings(), nil)
		s, err := Backend().Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		w := watching(t, s, "")
		w.begun(t, s, "")
		c.failover(t, c.holder(t, config))
		blob, err := s.Load(t.Context(), "", backend.None)
		if err != nil {
			t.Fatal(err)
		}
		w.until(t, save(t, s, "", "at the new one", blob.Version))
	})
}
