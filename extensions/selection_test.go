package extensions_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/plugins/file"
)

// vault is a backend that opens, or fails, as a test says.
type vault struct {
	memory.Backend
	opened int
	err    error
	info   backend.Info
	load   error
}

func (v *vault) Describe() backend.Description {
	return backend.Description{Name: "vault", Settings: []backend.Setting{{Name: "colour"}, {Name: "password", Secret: true}}}
}

func (v *vault) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	v.opened++
	if v.err != nil {
		return nil, v.err
	}
	s, err := v.Backend.Open(ctx, c)
	return &vaultStore{s, v}, err
}

type vaultStore struct {
	backend.Store
	v *vault
}

func (s *vaultStore) Info() backend.Info { return s.v.info }

func (s *vaultStore) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	if s.v.load != nil {
		return backend.Blob{}, s.v.load
	}
	return s.Store.Load(ctx, key, have)
}

func withVault(v *vault, more ...backend.Backend) *extensions.Options {
	return &extensions.Options{
		Candidates:          []string{"vault"},
		FallbackToPlaintext: true,
		InProcess:           append([]backend.Backend{v, file.Backend()}, more...),
	}
}

func location(t *testing.T) string { return filepath.Join(t.TempDir(), "app", "cache") }

// closed closes what BuildPersistence returned, if anything.
func closed(t *testing.T, p *extensions.Persistence) {
	t.Helper()
	if p == nil {
		return
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestOnlyAMissingStoreStepsDownToPlaintext(t *testing.T) {
	t.Parallel()
	stepsDown := map[error]bool{backend.ErrUnavailable: true, backend.ErrUnsupported: true, backend.ErrPluginNotFound: true}
	errs := append(backend.Kinds(), context.Canceled, context.DeadlineExceeded, errors.New("anything else"),
		fmt.Errorf("crashed: %w: %w", pluginhost.ErrLost, backend.ErrUnavailable))
	for _, err := range errs {
		t.Run(err.Error(), func(t *testing.T) {
			t.Parallel()
			want, where := stepsDown[err], location(t)
			p, got := extensions.BuildPersistence(t.Context(), where, withVault(&vault{err: err}))
			defer closed(t, p)
			if want {
				if got != nil || p.Backend() != "file" || p.IsEncrypted() {
					t.Fatalf("did not step down: %v", got)
				}
				return
			}
			var se *extensions.SelectionError
			if !errors.As(got, &se) || !errors.Is(got, err) || len(se.Candidates) != 1 {
				t.Errorf("got %v", got)
			}
			if _, err := os.Stat(where); !errors.Is(err, os.ErrNotExist) {
				t.Error("something was stored")
			}
		})
	}
}

func TestFailedProbeDoesNotStepDown(t *testing.T) {
	t.Parallel()
	for _, kind := range backend.Kinds() {
		t.Run(kind.Error(), func(t *testing.T) {
			t.Parallel()
			p, err := extensions.BuildPersistence(t.Context(), location(t), withVault(&vault{load: kind}))
			defer closed(t, p)
			if !errors.Is(err, kind) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSelectionErrorNamesEachCandidateAndRemedy(t *testing.T) {
	t.Parallel()
	o := &extensions.Options{
		Candidates: []string{"vault", "nosuch"},
		InProcess:  []backend.Backend{&vault{err: &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("no bus"), Hint: "start a session bus"}}},
		Host:       pluginhost.New(nil),
	}
	_, err := extensions.BuildPersistence(t.Context(), location(t), o)
	var se *extensions.SelectionError
	if !errors.As(err, &se) || len(se.Candidates) != 2 {
		t.Fatalf("got %v", err)
	}
	if se.Candidates[0].Remedy != "start a session bus" || se.Candidates[1].Remedy == "" {
		t.Errorf("remedies %q, %q", se.Candidates[0].Remedy, se.Candidates[1].Remedy)
	}
	for _, want := range []string{"vault: ", "no bus", "nosuch: ", "FallbackToPlaintext"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if !errors.Is(err, backend.ErrPluginNotFound) || !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("the reasons aren't found in %v", err)
	}
}

func TestPlatformStoresAreNotThereYet(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"libsecret", "dpapi", "keychain"} {
		p, err := extensions.Open(t.Context(), name, location(t), &extensions.Options{Host: pluginhost.New(nil)})
		closed(t, p)
		if !errors.Is(err, backend.ErrPluginNotFound) {
			t.Errorf("%s gave %v", name, err)
		}
	}
}

func TestRecordedBackendIsUsedOrNothing(t *testing.T) {
	t.Parallel()
	where := location(t)
	v := &vault{err: backend.ErrUnavailable}
	p, err := extensions.BuildPersistence(t.Context(), where, withVault(v))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Save(t.Context(), []byte("data")); err != nil {
		t.Fatal(err)
	}
	closed(t, p)

	v.err, v.opened = nil, 0 // the better store works now; the tokens are in the file
	p, err = extensions.BuildPersistence(t.Context(), where, withVault(v))
	if err != nil || p.Backend() != "file" || v.opened != 0 {
		t.Errorf("got %v, and the other store was opened %d times", err, v.opened)
	}
	closed(t, p)
	o := withVault(v)
	o.FallbackToPlaintext = false
	p, err = extensions.BuildPersistence(t.Context(), where, o)
	closed(t, p)
	if !errors.Is(err, backend.ErrBackendChanged) {
		t.Errorf("without plaintext: %v", err)
	}
}

// A store that needs no lock is recorded like any other.
func TestStoreThatSwapsByItselfIsRecorded(t *testing.T) {
	t.Parallel()
	where := location(t)
	v := &vault{info: backend.Info{Caps: backend.CanCAS}}
	p, err := extensions.BuildPersistence(t.Context(), where, withVault(v))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(where + ".msalext"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("recorded before anything is stored: %v", err)
	}
	if err := p.Save(t.Context(), []byte("data")); err != nil {
		t.Fatal(err)
	}
	closed(t, p)
	v.err = backend.ErrUnavailable
	p, err = extensions.BuildPersistence(t.Context(), where, withVault(v))
	closed(t, p)
	if se := (*extensions.SelectionError)(nil); !errors.As(err, &se) || len(se.Candidates) != 1 || !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("the second run: %v", err)
	}
	p, err = extensions.Open(t.Context(), "file", where, withVault(v))
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, p)
	if err := p.Save(t.Context(), []byte("data")); !errors.Is(err, backend.ErrBackendChanged) {
		t.Errorf("another backend: %v", err)
	}
}

func TestNothingIsProbedOnceRecorded(t *testing.T) {
	t.Parallel()
	where := location(t)
	o := &extensions.Options{Candidates: []string{"file"}, InProcess: []backend.Backend{file.Backend()}}
	for range 2 {
		p, err := extensions.BuildPersistence(t.Context(), where, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Save(t.Context(), []byte("data")); err != nil {
			t.Fatal(err)
		}
		closed(t, p)
		if err := os.Chmod(filepath.Dir(where), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Stat(filepath.Dir(where))
	if err != nil {
		t.Fatal(err)
	}
	p, err := extensions.BuildPersistence(t.Context(), where, o)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, p)
	if after, err := os.Stat(filepath.Dir(where)); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the directory was written to, %v", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		settings map[string]backend.Settings
		err      error
	}{
		{"known", map[string]backend.Settings{"vault": {"colour": "red", "password": "hunter2"}}, nil},
		{"unknown", map[string]backend.Settings{"vault": {"color": "red"}}, backend.ErrInvalid},
		{"another system's", map[string]backend.Settings{"dpapi": {"whatever": "x"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := withVault(&vault{})
			o.Settings = c.settings
			p, err := extensions.Open(t.Context(), "vault", location(t), o)
			defer closed(t, p)
			if !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), `"color"`) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBackground(t *testing.T) {
	t.Parallel()
	o := withVault(&vault{err: &backend.Error{Kind: backend.ErrLocked}})
	o.Background = true
	ctx, cancel := context.WithCancel(t.Context())
	p, err := extensions.BuildPersistence(ctx, location(t), o)
	cancel() // bounds the call, which is over
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Load(t.Context()); !errors.Is(err, backend.ErrLocked) {
		t.Errorf("got %v", err)
	}
	o.InProcess = []backend.Backend{&vault{info: backend.Info{Encrypted: true, Method: "m"}}}
	p, err = extensions.BuildPersistence(t.Context(), location(t), o)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, p)
	start := time.Now()
	if !p.IsEncrypted() || p.Backend() != "vault" {
		t.Errorf("after %v: %q", time.Since(start), p.Backend())
	}
	if _, err := extensions.Open(t.Context(), "vault", "", o); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("an empty location shows late: %v", err)
	}
}
