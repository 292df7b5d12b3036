//go:build redis

package redis

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// lostAnswer runs change through a proxy that lets what is sent through and
// loses the answer, does meanwhile what happens at the server before the next
// try, and returns how it ended.
func lostAnswer(t *testing.T, p *proxy, change func(context.Context) error, meanwhile func()) error {
	t.Helper()
	ended := make(chan error, 1)
	p.swallow()
	go func() { ended <- change(t.Context()) }()
	p.swallowed()
	p.hold()
	p.cut()
	meanwhile()
	p.release()
	return <-ended
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	p := newProxy(t, server.address())
	s, other := both(t, Backend().(*redisBackend), backend.Settings{"address": p.address()}, backend.Settings{"address": server.address()})
	v := save(t, s, "k", "one", backend.None)

	var saved backend.Version
	err := lostAnswer(t, p, func(ctx context.Context) (err error) {
		saved, err = s.Save(ctx, "k", []byte("two"), v)
		return err
	}, func() {})
	if blob, lerr := other.Load(t.Context(), "k", backend.None); err != nil || lerr != nil || blob.Version != saved || string(blob.Data) != "two" {
		t.Errorf("a save that was made: %v; %q at %s, want %s, %v", err, blob.Data, blob.Version, saved, lerr)
	}

	err = lostAnswer(t, p, func(ctx context.Context) error {
		_, err := s.Save(ctx, "k", []byte("three"), saved)
		return err
	}, func() {
		blob, err := other.Load(t.Context(), "k", backend.None)
		if err != nil {
			t.Error(err)
		}
		v = save(t, other, "k", "four", blob.Version)
	})
	says(t, "a save over which somebody saved", err, backend.ErrUnavailable, "isn't known")

	if err := lostAnswer(t, p, func(ctx context.Context) error { return s.Delete(ctx, "k", v) }, func() {}); err != nil {
		t.Errorf("a delete that was made: %v", err)
	}
	if _, err := s.Load(t.Context(), "k", backend.None); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("after that: %v", err)
	}
}

// A change that too few replicas have is an error, for the store and for the
// program, although it is stored.
func TestTooFewReplicas(t *testing.T) {
	t.Parallel()
	master := startServer(t)
	replica := startServer(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.port))
	settings := backend.Settings{"address": master.address(), "wait-replicas": "1"}
	config := unused(t.TempDir(), settings, nil)
	p, err := opened(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := add(t.Context(), p, "first"); err != nil {
		t.Fatal(err)
	}
	signal := func(sig os.Signal) {
		if err := replica.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	err = add(t.Context(), p, "second")
	says(t, "update", err, backend.ErrUnavailable, "may or may not survive a failover")
	other, err := opened(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if data, err := other.Load(t.Context()); err != nil || !strings.Contains(string(data), "second") {
		t.Errorf("it isn't stored: %q, %v", data, err)
	}
	signal(syscall.SIGCONT)
	eventually(t, "changes are acknowledged again", func() error { return add(t.Context(), p, "third") })

	signal(syscall.SIGSTOP)
	s := open(t, settings, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = s.Save(ctx, "k", []byte("x"), backend.None)
	says(t, "save", err, backend.ErrUnavailable, "0 of 1")
	_, err = s.Load(t.Context(), "k", backend.None)
	says(t, "the load after it", err, backend.ErrUnavailable, "0 of 1")
	signal(syscall.SIGCONT)
	eventually(t, "it is shown after a while", func() error {
		_, err := s.Load(t.Context(), "k", backend.None)
		return err
	})
}
