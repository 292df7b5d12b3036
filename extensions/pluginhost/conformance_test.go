package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/plugins/file"
)

// The test binary is the plugin of these backends too.
func init() {
	for _, b := range []backend.Backend{&lockable{}, file.Backend(), faulty{}} {
		hostile[b.Describe().Name] = func() { plugin.ServeIfInvoked(b) }
	}
	programs["work"] = programWork
}

// lockable is the reference backend, with a setting for what tests do to it by
// its fields elsewhere.
type lockable struct{ plain, locked memory.Backend }

func (*lockable) Describe() backend.Description {
	return backend.Description{Name: "memory", Version: "1", Settings: []backend.Setting{
		{Name: "locked", Doc: "any value: new stores wait for Unlock"}, {Name: "password", Secret: true, Doc: "unused"},
	}}
}

func (l *lockable) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if c.Settings["locked"] != "" {
		l.locked.Locked = true
		return l.locked.Open(ctx, c)
	}
	return l.plain.Open(ctx, c)
}

// spawned is a harness whose stores are in a plugin's process.
type spawned struct{ *backendtest.Opener }

func (s spawned) OpenLocked(t backendtest.T) backend.Store {
	usual := s.NewConfig
	defer func() { s.NewConfig = usual }()
	s.NewConfig = func(t backendtest.T) backend.Config {
		c := usual(t)
		c.Settings = backend.Settings{"locked": "yes"}
		return c
	}
	return s.Open(t)
}

// working lets other programs use the same files, each by a plugin of its own.
type working struct{ *backendtest.Opener }

func (w working) Work(ctx context.Context, job string) error {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "PLUGINHOST_TEST_PROGRAM=work",
		"PLUGINHOST_TEST_PATH="+w.Config().Path, "PLUGINHOST_TEST_JOB="+job)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func programWork() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h := New(nil)
	s, err := openStore(h, "file", os.Getenv("PLUGINHOST_TEST_PATH"))
	if err == nil {
		err = errors.Join(backendtest.Work(ctx, s, os.Getenv("PLUGINHOST_TEST_JOB")), s.Close(), h.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// inPlugin returns an Opener of a plugin's stores. The plugin runs until the test
// ends, so that items which it keeps in memory outlive the stores of a case.
func inPlugin(t *testing.T, name string, secrets map[string]backend.Secret) *backendtest.Opener {
	t.Helper()
	h := newHost(t, nil)
	b, err := h.Backend(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, h, name)
	return &backendtest.Opener{Backend: b, NewConfig: func(t backendtest.T) backend.Config {
		path := filepath.Join(t.TempDir(), "cache")
		return backend.Config{Location: path, Path: path, Secrets: secrets}
	}}
}

func TestConformanceOfAPlugin(t *testing.T) {
	secrets := map[string]backend.Secret{"password": backend.Secret("hunter2&hunter3")}
	backendtest.Run(t, spawned{inPlugin(t, "memory", secrets)})
}

func TestConformanceOfTheFilePlugin(t *testing.T) {
	backendtest.Run(t, working{inPlugin(t, "file", nil)})
}

// faulty fails to load each key in the way that faults lists under it.
type faulty struct{}

func (faulty) Describe() backend.Description {
	return backend.Description{Name: "faulty", Version: "1"}
}

func (faulty) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	s, err := new(memory.Backend).Open(ctx, c)
	return faultyStore{s}, err
}

type faultyStore struct{ backend.Store }

func (faultyStore) Info() backend.Info { return backend.Info{} }

func (faultyStore) Load(_ context.Context, key string, _ backend.Version) (backend.Blob, error) {
	n, err := strconv.Atoi(key)
	if err != nil {
		return backend.Blob{}, err
	}
	return backend.Blob{}, faults()[n]
}

func ends() []error { return []error{context.Canceled, context.DeadlineExceeded} }

func faults() (all []error) {
	for _, kind := range backend.Kinds() {
		all = append(all, kind,
			&backend.Error{Op: "load deeply", Backend: "faulty", Kind: kind, Hint: "do this", Err: errors.New("because")},
			&backend.Error{Op: "load", Backend: "faulty", Kind: kind, Err: context.DeadlineExceeded})
	}
	for _, end := range ends() {
		all = append(all, end, &backend.Error{Op: "load", Backend: "faulty", Err: end}, fmt.Errorf("inside: %w", end))
	}
	return all
}

func TestEveryErrorOfAPlugin(t *testing.T) {
	s, _ := mustOpen(t, newHost(t, nil), "faulty")
	for i, want := range faults() {
		_, got := s.Load(t.Context(), strconv.Itoa(i), backend.None)
		for _, target := range append(backend.Kinds(), ends()...) {
			if errors.Is(got, target) != errors.Is(want, target) {
				t.Errorf("%v became %v: differs as %q", want, got, target)
			}
		}
		e, ok := errors.AsType[*backend.Error](got)
		if !ok || e.Backend != "faulty" || e.Op == "" {
			t.Errorf("%v became %#v", want, got)
		}
		if w, is := want.(*backend.Error); is && (e.Op != w.Op || e.Hint != w.Hint || e.Error() != w.Error()) {
			t.Errorf("%v became %v", want, got)
		}
	}
}
