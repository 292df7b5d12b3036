//go:build redis

package redis

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// open opens a store at a new place.
func open(t *testing.T, settings backend.Settings, secrets map[string]backend.Secret) backend.Store {
	t.Helper()
	s, err := Backend().Open(t.Context(), unused(t.TempDir(), settings, secrets))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func save(t *testing.T, s backend.Store, key, data string, base backend.Version) backend.Version {
	t.Helper()
	v, err := s.Save(t.Context(), key, []byte(data), base)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// says checks an error's kind, and that people learn what is wrong and what to
// do.
func says(t *testing.T, what string, err, kind error, text string) {
	t.Helper()
	e, ok := errors.AsType[*backend.Error](err)
	if !errors.Is(err, kind) || !ok || e.Hint == "" || e.Backend != name || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: got %v, want %q with %q and a hint", what, err, kind, text)
	}
	for _, secret := range []string{appPassword, adminSecret} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows a password", what)
		}
	}
}

// soon is a ctx with little time for tries that can't succeed.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func trySave(ctx context.Context, s backend.Store) error {
	_, err := s.Save(ctx, "k", bytes.Repeat([]byte("x"), 1000), backend.None)
	return err
}
