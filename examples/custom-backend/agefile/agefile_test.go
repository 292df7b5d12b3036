package agefile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
)

const token = "TOKEN-IN-CLEAR"

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// configured is a new place whose items the identity decrypts.
func configured(dir string, identity *age.X25519Identity) backend.Config {
	path := filepath.Join(dir, "cache")
	return backend.Config{Location: path, Path: path, Secrets: map[string]backend.Secret{"identity": backend.Secret(identity.String())}}
}

func opened(t *testing.T, c backend.Config) backend.Store {
	t.Helper()
	s, err := Backend().Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t)
	backendtest.Run(t, &backendtest.Opener{Backend: Backend(), NewConfig: func(t backendtest.T) backend.Config {
		return configured(t.TempDir(), identity)
	}})
}

// What is stored is age's format and nothing else, and every recipient reads it.
func TestAgeReadsIt(t *testing.T) {
	t.Parallel()
	own, recovery := newIdentity(t), newIdentity(t)
	c := configured(t.TempDir(), own)
	c.Settings = backend.Settings{"recipients": " " + recovery.Recipient().String() + " "}
	if _, err := opened(t, c).Save(t.Context(), "", []byte(token), backend.None); err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile(c.Path)
	if err != nil || bytes.Contains(sealed, []byte(token)) {
		t.Fatalf("stored in clear: %q, %v", sealed, err)
	}
	for _, identity := range []age.Identity{own, recovery} {
		r, err := age.Decrypt(bytes.NewReader(sealed), identity)
		if err != nil {
			t.Fatal(err)
		}
		var data bytes.Buffer
		if _, err := data.ReadFrom(r); err != nil || data.String() != token {
			t.Errorf("age decrypts %q, %v", data.String(), err)
		}
	}
}

func TestUnreadableStays(t *testing.T) {
	t.Parallel()
	own := newIdentity(t)
	for name, tt := range map[string]struct {
		reader *age.X25519Identity
		spoil  func([]byte) []byte
		kind   error
	}{
		"another identity": {newIdentity(t), bytes.Clone, backend.ErrDecrypt},
		"one bit":          {own, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, backend.ErrCorrupt},
		"cut":              {own, func(b []byte) []byte { return b[:len(b)-1] }, backend.ErrCorrupt},
		"plain":            {own, func([]byte) []byte { return []byte("{" + token) }, backend.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := configured(t.TempDir(), own)
			if _, err := opened(t, c).Save(t.Context(), "", []byte(token), backend.None); err != nil {
				t.Fatal(err)
			}
			sealed, err := os.ReadFile(c.Path)
			if err != nil {
				t.Fatal(err)
			}
			stored := tt.spoil(sealed)
			if err := os.WriteFile(c.Path, stored, 0o600); err != nil {
				t.Fatal(err)
			}
			c.Secrets["identity"] = backend.Secret(tt.reader.String())
			_, err = opened(t, c).Load(t.Context(), "", backend.None)
			if e := (*backend.Error)(nil); !errors.Is(err, tt.kind) || !errors.As(err, &e) || e.Hint == "" || strings.Contains(err.Error(), token) {
				t.Errorf("load: %v", err)
			}
			if _, err := opened(t, c).Save(t.Context(), "", []byte("new"), backend.None); !errors.Is(err, backend.ErrConflict) {
				t.Errorf("save: %v", err)
			}
			if now, err := os.ReadFile(c.Path); err != nil || !bytes.Equal(now, stored) {
				t.Errorf("the file changed: %v", err)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t).String()
	dir := t.TempDir()
	file := filepath.Join(dir, "identity")
	if err := os.WriteFile(file, []byte("# created: today\n"+identity+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := map[string]backend.Secret{"identity": backend.Secret(identity)}
	path := filepath.Join(dir, "cache")
	for name, tt := range map[string]struct {
		c    backend.Config
		kind error // nil: it opens
	}{
		"file":          {backend.Config{Path: path, Settings: backend.Settings{"identity-file": file}}, nil},
		"text":          {backend.Config{Path: path, Secrets: secret}, nil},
		"neither":       {backend.Config{Path: path}, backend.ErrInvalid},
		"both":          {backend.Config{Path: path, Secrets: secret, Settings: backend.Settings{"identity-file": file}}, backend.ErrInvalid},
		"no such file":  {backend.Config{Path: path, Settings: backend.Settings{"identity-file": file + "-"}}, backend.ErrInvalid},
		"relative file": {backend.Config{Path: path, Settings: backend.Settings{"identity-file": "identity"}}, backend.ErrInvalid},
		"relative path": {backend.Config{Path: "cache", Secrets: secret}, backend.ErrInvalid},
		"no identity":   {backend.Config{Path: path, Secrets: map[string]backend.Secret{"identity": backend.Secret("x" + identity)}}, backend.ErrInvalid},
		"no recipient":  {backend.Config{Path: path, Secrets: secret, Settings: backend.Settings{"recipients": "age1x"}}, backend.ErrInvalid},
	} {
		s, err := Backend().Open(t.Context(), tt.c)
		if tt.kind == nil && err == nil {
			_ = s.Close()
			continue
		}
		if !errors.Is(err, tt.kind) || strings.Contains(err.Error(), identity) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
