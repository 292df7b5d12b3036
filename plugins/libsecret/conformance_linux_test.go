//go:build secretservice

package libsecret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/internal/testproc"
)

func TestMain(m *testing.M) {
	testproc.Main(m, testproc.Children{
		"work":    func(args []string) error { return work(args[0], args[1]) },
		"refused": func(args []string) error { return refusedChild(args[0]) },
	})
}

// places numbers the caches of the tests: all lie in one keyring.
var places atomic.Int32

func unused(t backendtest.T, settings backend.Settings) backend.Config {
	all := backend.Settings{"attribute.test": fmt.Sprint(places.Add(1))}
	maps.Copy(all, settings)
	return config(t, all)
}

// patient is the backend for tests of what it does rather than when: the
// machine may be busy.
func patient(bus *shared) libsecretBackend {
	return libsecretBackend{bus, limits{bytes: largest, answer: 30 * time.Second, prompt: promptPatience}}
}

// harness removes what the last case left: each change writes the whole
// keyring, which cases with large items would make slow for all others.
type harness struct {
	*backendtest.Opener
	t *testing.T
	d *desktop
}

// harness opens stores of a backend on the desktop.
func (d *desktop) harness(t *testing.T, b backend.Backend, settings backend.Settings) harness {
	newConfig := func(t backendtest.T) backend.Config { return unused(t, settings) }
	return harness{&backendtest.Opener{Backend: b, NewConfig: newConfig}, t, d}
}

func (h harness) Open(t backendtest.T) backend.Store {
	if h.Config().Path != "" {
		empty(t, h.Opener)
	}
	return h.Opener.Open(t)
}

func empty(t backendtest.T, o *backendtest.Opener) {
	s := o.Reopen(t)
	defer s.Close()
	for info, err := range s.(backend.Lister).Keys(t.Context(), "") {
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		blob, err := s.Load(t.Context(), info.Key, backend.None)
		if err == nil {
			err = s.Delete(t.Context(), info.Key, blob.Version)
		}
		if err != nil {
			t.Fatalf("clean %q: %v", info.Key, err)
		}
	}
}

// Work lets other processes use the items.
func (h harness) Work(ctx context.Context, job string) error {
	config, err := json.Marshal(h.Config())
	if err != nil {
		return err
	}
	cmd := testproc.Command(h.t, "work", string(config), job)
	cmd.Env = append(cmd.Env, "DBUS_SESSION_BUS_ADDRESS="+h.d.address)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return ctx.Err()
}

func work(config, job string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var c backend.Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	b := patient(sessionBus)
	b.limits.bytes = maxBytes // as a plugin, whose items it may use
	s, err := b.Open(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(backendtest.Work(ctx, s, job), s.Close())
}

func TestConformance(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.keyring(t)
	modes := map[string]backend.Settings{
		"raw":    nil,
		"base64": {"encoding": "base64", "schema": "base64", "match-schema": "false"},
	}
	if testing.Short() {
		delete(modes, "raw") // as the plugin's
	}
	for name, settings := range modes {
		t.Run(name, func(t *testing.T) { backendtest.Run(t, d.harness(t, patient(d.shared), settings)) })
	}
}
