//go:build secretservice

package libsecret

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/testproc"
)

// plugged returns the backend as a program finds it: a binary that the host
// starts.
func plugged(t *testing.T) backend.Backend {
	t.Helper()
	path := filepath.Join(testproc.SharedDir(t), "msalext-plugin-libsecret")
	build := exec.Command("go", "build", "-o", path, "./cmd/msalext-plugin-libsecret")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h := pluginhost.New(&pluginhost.Options{Plugins: map[string]pluginhost.Binary{name: {Path: path}}})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := h.Backend(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Not parallel: the bus of plugins is that of the environment.
func TestConformanceOfThePlugin(t *testing.T) {
	for service, start := range services {
		if service == "KeePassXC" && testing.Short() {
			continue // in process it runs also then
		}
		t.Run(service, func(t *testing.T) {
			d := newDesktop(t)
			start(d, t)
			t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.address)
			h := d.harness(t, plugged(t), nil)
			first, err := h.Backend.Open(t.Context(), unused(t, nil)) // keeps the plugin running from case to case
			if err != nil {
				t.Fatal(err)
			}
			defer first.Close()
			backendtest.Run(t, h)
		})
	}
}

// Not parallel: the bus of plugins is that of the environment.
func TestThePluginOnAScriptedService(t *testing.T) {
	d := newDesktop(t)
	f := d.play(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.address)
	b := plugged(t)
	s, err := b.Open(t.Context(), config(t, backend.Settings{"schema": "s"}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	f.calls()
	for _, size := range []int{maxBytes + 1, 4 << 20} {
		_, err := s.Save(t.Context(), "", make([]byte, size), backend.None)
		wants(t, "save", err, backend.ErrTooLarge)
	}
	if heard := f.calls(); len(heard) > 0 {
		t.Errorf("it wrote something too large: %q", heard)
	}

	p := f.add(map[string]string{schemaAttribute: "s"}, "stored")
	f.set(func() { f.locked = true })
	_, err = s.Load(t.Context(), "", backend.None)
	wants(t, "load", err, backend.ErrLocked)
	f.set(func() { f.person = f.accepts })
	if u, ok := backend.Can[backend.Unlocker](s, backend.CanUnlock); !ok || u.Unlock(t.Context()) != nil {
		t.Error("it doesn't unlock")
	}
	if got, err := s.Load(t.Context(), "", backend.None); err != nil || string(got.Data) != "stored" {
		t.Errorf("%q, %v", got.Data, err)
	}
	f.set(func() { delete(f.items, p) })
	f.script("SearchItems", silence)
	err = inTime(t, func() error {
		_, err := s.Load(t.Context(), "", backend.None)
		return err
	})
	wants(t, "load from a silent service", err, backend.ErrTimeout)
	f.leave(t, d)
	_, err = s.Load(t.Context(), "", backend.None)
	wants(t, "load without a service", err, backend.ErrUnavailable)
	_, err = b.Open(t.Context(), config(t, nil))
	wants(t, "open without a service", err, backend.ErrUnavailable)
}

// The tests run as root. Here the most common of them run as a user who isn't,
// with bus, keyring and all.
func TestAsAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	home := filepath.Join(testproc.SharedDir(t), "home")
	if err := errors.Join(os.Mkdir(home, 0o700), os.Chown(home, testproc.Nobody, testproc.Nobody)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tests := []string{"TestEverydayUse", "TestNothingCrossesTheBusInClear", "TestNothingIsStartedUnlessAllowed", "TestUnlock"}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^("+strings.Join(tests, "|")+")$", "-test.v")
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: testproc.Nobody, Gid: testproc.Nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, test := range tests {
		if !strings.Contains(string(out), "--- PASS: "+test+" ") {
			t.Errorf("%s didn't run:\n%s", test, out)
		}
	}
	if !strings.Contains(string(out), "the user is 65534") {
		t.Errorf("it ran as somebody else:\n%s", out)
	}
}

func TestEverydayUse(t *testing.T) {
	t.Parallel()
	t.Logf("the user is %d", os.Geteuid())
	for service, start := range services {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t)
			start(d, t)
			s := d.openPatiently(t, nil)
			v := saves(t, s, `{"a":1}`, backend.None)
			v = saves(t, s, `{"a":2}`, v)
			if b := loads(t, s, `{"a":2}`); b.Version != v {
				t.Error("it has another version")
			}
			if err := s.Delete(t.Context(), "", v); err != nil {
				t.Error(err)
			}
			wants(t, "load", loadError(s), backend.ErrNotFound)
		})
	}
}
