package dpapi

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
)

var cache = []byte(`{"AccessToken": {"k": {"secret": "TOKEN-IN-CLEAR"}}}`)

func TestConformance(t *testing.T) {
	t.Parallel()
	variants := map[string]func(*backend.Config){"user": func(*backend.Config) {}}
	if !testing.Short() { // each takes a minute in Wine
		variants["machine"] = func(c *backend.Config) { c.Settings = backend.Settings{"scope": "machine"} }
		variants["entropy"] = func(c *backend.Config) { c.Secrets = map[string]backend.Secret{"entropy": []byte("more")} }
	}
	for name, set := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, &backendtest.Opener{Backend: Backend(), NewConfig: func(t backendtest.T) backend.Config {
				path := filepath.Join(t.TempDir(), "cache")
				c := backend.Config{Location: path, Path: path}
				set(&c)
				return c
			}})
		})
	}
}

func opened(t *testing.T, path string, settings backend.Settings, entropy string) backend.Store {
	t.Helper()
	c := backend.Config{Location: path, Path: path, Settings: settings}
	if entropy != "" {
		c.Secrets = map[string]backend.Secret{"entropy": []byte(entropy)}
	}
	s, err := Backend().Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// What is stored is the API's blob and nothing else: the API alone reads it.
func TestStoresTheBlobAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	s := opened(t, path, nil, "more")
	if _, err := s.Save(t.Context(), "", cache, backend.None); err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(path)
	if err != nil || bytes.Contains(stored, []byte("TOKEN-IN-CLEAR")) {
		t.Fatalf("stored in clear: %v, %v", stored, err)
	}
	if data, err := unprotect(stored, []byte("more")); err != nil || !bytes.Equal(data, cache) {
		t.Errorf("the blob holds %q, %v", data, err)
	}
	// and as a peer would have written it
	peers, err := protect(cache, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(other, peers, 0o600); err != nil {
		t.Fatal(err)
	}
	if blob, err := opened(t, other, nil, "").Load(t.Context(), "", backend.None); err != nil || !bytes.Equal(blob.Data, cache) {
		t.Errorf("a peer's blob: %q, %v", blob.Data, err)
	}
}

// Nothing that can't be decrypted is ever written over.
func TestUndecryptable(t *testing.T) {
	t.Parallel()
	sealed, err := protect(cache, []byte("right"), false)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	tests := map[string]struct {
		stored []byte
		says   string
	}{
		"wrong entropy": {sealed, "entropy"},
		"one bit":       {damaged, "kept"},
		"cut":           {sealed[:len(sealed)/2], "kept"},
		"plain JSON":    {cache, "isn't encrypted"},
		"one byte":      {[]byte("x"), "kept"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "cache")
			if err := os.WriteFile(path, tt.stored, 0o600); err != nil {
				t.Fatal(err)
			}
			s := opened(t, path, nil, "wrong")
			_, err := s.Load(t.Context(), "", backend.None)
			if !errors.Is(err, backend.ErrDecrypt) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "TOKEN") {
				t.Errorf("load: %v", err)
			}
			if _, err := s.Save(t.Context(), "", cache, backend.None); !errors.Is(err, backend.ErrConflict) {
				t.Errorf("save: %v", err)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, tt.stored) {
				t.Errorf("the file changed: %v", err)
			}
		})
	}
}

func TestKeyState(t *testing.T) {
	t.Parallel()
	err := undecryptable([]byte("blob"), badKeyState)
	if !errors.Is(err, backend.ErrDecrypt) || !strings.Contains(err.Error(), "the user who stored it") {
		t.Error(err)
	}
}

func TestRefusedConfig(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	for name, c := range map[string]backend.Config{
		"scope":   {Path: path, Settings: backend.Settings{"scope": "world"}},
		"unknown": {Path: path, Settings: backend.Settings{"colour": "red"}},
		"path":    {Path: "cache"},
	} {
		if _, err := Backend().Open(t.Context(), c); !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
