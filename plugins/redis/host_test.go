//go:build redis

package redis

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// As a program does it: the secrets are in files, which the program itself
// reads, and the backend is a plugin.
func TestSecretsByFile(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	settings, secrets := secureSettings(t, startSecure(t, a), a)
	settings["prefix"] = "test by a program"
	for name, secret := range secrets {
		settings[name+"-file"] = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(settings[name+"-file"], append(secret, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host := pluginhost.New(&pluginhost.Options{Plugins: map[string]pluginhost.Binary{name: {Path: path}}})
	defer host.Close()
	p, err := extensions.Open(t.Context(), name, filepath.Join(t.TempDir(), "cache"), &extensions.Options{
		Host: host, Settings: map[string]backend.Settings{name: settings},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.IsEncrypted() {
		t.Error("it claims to encrypt")
	}
	if err := errors.Join(p.Verify(t.Context()), p.Save(t.Context(), []byte("data"))); err != nil {
		t.Fatal(err)
	}
	if data, err := p.Load(t.Context()); err != nil || string(data) != "data" {
		t.Errorf("%q, %v", data, err)
	}
	if err := p.Delete(t.Context()); err != nil {
		t.Error(err)
	}
}
