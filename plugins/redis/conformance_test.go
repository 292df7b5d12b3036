//go:build redis

package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/internal/testproc"
)

func TestMain(m *testing.M) {
	// The race detector would keep each process waiting for a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	testproc.Main(m, testproc.Children{
		"work": func(args []string) error { return work(args[0], args[1]) },
		"add":  func(args []string) error { return addAll(args[0], args[1], each) },
	}, removeBinary)
}

// places numbers the prefixes of the tests.
var places atomic.Int32

// unused is a place that no test used before.
func unused(dir string, settings backend.Settings, secrets map[string]backend.Secret) backend.Config {
	all := backend.Settings{"prefix": fmt.Sprintf("test %d", places.Add(1))}
	maps.Copy(all, settings)
	path := filepath.Join(dir, "cache")
	return backend.Config{Location: path, Path: path, Settings: all, Secrets: secrets}
}

// harness lets other processes use the items.
type harness struct {
	*backendtest.Opener
	t      *testing.T
	opened int
	at     map[int]func() // what to do before the n-th case
}

func newHarness(t *testing.T, b backend.Backend, settings backend.Settings, secrets map[string]backend.Secret) *harness {
	return &harness{t: t, Opener: &backendtest.Opener{Backend: b, NewConfig: func(t backendtest.T) backend.Config {
		return unused(t.TempDir(), settings, secrets)
	}}}
}

func (h *harness) Open(t backendtest.T) backend.Store {
	h.opened++
	if f := h.at[h.opened]; f != nil {
		f()
	}
	return h.Opener.Open(t)
}

// Work lets another process use the items.
func (h *harness) Work(ctx context.Context, job string) error {
	path := filepath.Join(h.t.TempDir(), "place")
	if err := writeWorkplace(path, h.Config()); err != nil {
		return err
	}
	if out, err := testproc.Command(h.t, "work", path, job).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return ctx.Err()
}

// workplace tells another process where to work. Secrets don't encode as such.
type workplace struct {
	Config  backend.Config
	Secrets map[string][]byte
}

func writeWorkplace(path string, c backend.Config) error {
	w := workplace{c, map[string][]byte{}}
	for name, secret := range c.Secrets {
		w.Secrets[name] = secret
	}
	w.Config.Secrets = nil
	text, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func readWorkplace(path string) (backend.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return backend.Config{}, err
	}
	var w workplace
	err = json.Unmarshal(text, &w)
	w.Config.Secrets = map[string]backend.Secret{}
	for name, secret := range w.Secrets {
		w.Config.Secrets[name] = secret
	}
	return w.Config, err
}

func work(path, job string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := readWorkplace(path)
	if err != nil {
		return err
	}
	s, err := Backend().Open(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(backendtest.Work(ctx, s, job), s.Close())
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "--proto-max-bulk-len", "20mb")
		backendtest.Run(t, newHarness(t, Backend(), backend.Settings{"address": s.address(), "db": "1", "ttl": "1h"}, nil))
	})
	t.Run("TLS and ACL", func(t *testing.T) {
		t.Parallel()
		a := newAuthority(t)
		settings, secrets := secureSettings(t, startSecure(t, a), a)
		backendtest.Run(t, newHarness(t, Backend(), settings, secrets))
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		c := startShards(t)
		backendtest.Run(t, newHarness(t, Backend(), c.settings(), nil))
	})
	t.Run("Cluster, waiting for a replica", func(t *testing.T) {
		t.Parallel()
		c := startShards(t)
		settings := c.settings()
		settings["wait-replicas"] = "1"
		backendtest.Run(t, newHarness(t, Backend(), settings, nil))
	})
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		c := startSentinels(t, patient)
		h := newHarness(t, Backend(), c.settings(), nil)
		h.at = map[int]func(){40: func() { c.failover(t) }}
		backendtest.Run(t, h)
	})
}
