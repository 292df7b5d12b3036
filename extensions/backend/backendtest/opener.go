package backendtest

import (
	"path/filepath"

	"github.com/msalext/msalext/extensions/backend"
)

// An Opener is the [Harness] of a backend, as most tests need it. It isn't
// safe for concurrent use; several Openers may share a Backend.
type Opener struct {
	Backend backend.Backend
	// NewConfig returns a place that nobody used before, with the settings to
	// test. Nil: a file name in t.TempDir(), and no settings.
	NewConfig func(t T) backend.Config

	last backend.Config
}

var (
	_ Harness    = (*Opener)(nil)
	_ Configured = (*Opener)(nil)
)

// Open opens a store at a new place.
func (o *Opener) Open(t T) backend.Store {
	t.Helper()
	o.last = o.config(t)
	return o.Reopen(t)
}

// Reopen opens a store at the last place.
func (o *Opener) Reopen(t T) backend.Store {
	t.Helper()
	s, err := o.Backend.Open(t.Context(), o.last)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

// Config is what the last Open used.
func (o *Opener) Config() backend.Config { return o.last }

func (o *Opener) config(t T) backend.Config {
	if o.NewConfig != nil {
		return o.NewConfig(t)
	}
	path := filepath.Join(t.TempDir(), "cache")
	return backend.Config{Location: path, Path: path}
}
