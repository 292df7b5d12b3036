package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

func TestInfo(t *testing.T) {
	t.Parallel()
	path := cachePath(t)
	for name, m := range modes {
		info := m.store(t, path+name).Info()
		if info.Encrypted != (m.Cipher != "") || info.Against == "" || info.Location != path+name || info.Stamp != backend.StampNone {
			t.Errorf("%s: %+v", name, info)
		}
		if want := backend.CanCAS | backend.CanList | backend.CanExpire | backend.CanCheck; info.Caps != want {
			t.Errorf("%s: %v", name, info.Caps)
		}
	}
	if d := Backend().Describe(); d.Name != "sqlite" || d.Platforms != nil || !d.Settings[0].Secret || d.Settings[1].Secret {
		t.Errorf("%+v", d)
	}
}

func TestRefusedConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cache")
	secret := func(key string) map[string]backend.Secret {
		return map[string]backend.Secret{"key": backend.Secret(key)}
	}
	tests := []struct {
		name, says string
		config     backend.Config
	}{
		{"directory", "is a directory", backend.Config{Path: dir}},
		{"below a file", "should be a directory", backend.Config{Path: filepath.Join(dir, "file", "cache")}},
		{"relative", "is relative", backend.Config{Path: "cache"}},
		{"no path", "set HOME", backend.Config{}},
		{"unknown setting", `"color"`, backend.Config{Path: path, Settings: backend.Settings{"color": "red"}}},
		{"unknown secret", `"pin"`, backend.Config{Path: path, Secrets: map[string]backend.Secret{"pin": []byte("1234")}}},
		{"unknown cipher", `"rot13"`, backend.Config{Path: path, Settings: backend.Settings{"cipher": "rot13"}, Secrets: secret(testKey)}},
		{"cipher without key", "without key", backend.Config{Path: path, Settings: backend.Settings{"cipher": "xts"}}},
		{"empty key", "64 hexadecimal digits", backend.Config{Path: path, Secrets: secret("")}},
		{"short key", "64 hexadecimal digits", backend.Config{Path: path, Secrets: secret(testKey[2:])}},
		{"long key", "64 hexadecimal digits", backend.Config{Path: path, Secrets: secret(testKey + "00")}},
		{"passphrase", "64 hexadecimal digits", backend.Config{Path: path, Secrets: secret(strings.Repeat("hunter23", 8))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Backend().Open(t.Context(), tt.config)
			wants(t, "open", err, backend.ErrInvalid)
			if err != nil && (!strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "1234") || strings.Contains(err.Error(), "hunter")) {
				t.Errorf("%v doesn't say %q, or too much", err, tt.says)
			}
		})
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was created: %v", err)
	}
}
