package dpapi

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/plugin"
)

func init() { asPlugin = func() { plugin.Main(flagTeller{Backend()}) } }

// flagTeller is the backend, but that a save fails and tells with which flags it
// called CryptProtectData.
type flagTeller struct{ backend.Backend }

func (b flagTeller) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	s, err := b.Backend.Open(ctx, c)
	return flagTellerStore{s}, err
}

type flagTellerStore struct{ backend.Store }

func (s flagTellerStore) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	flags, err := flagsOf(func() error {
		_, err := s.Store.Save(ctx, key, data, base)
		return err
	})
	if err != nil {
		return backend.None, err
	}
	return backend.None, fmt.Errorf("flags %#x", flags)
}

// What the application sets decides the call that the plugin's process makes.
func TestScopeReachesThePlugin(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := hostOf(t, install(t, exe, filepath.Join(t.TempDir(), pluginFile)))
	for scope, flags := range map[string]string{"user": "flags 0x1", "machine": "flags 0x5"} {
		p, err := extensions.Open(t.Context(), name, filepath.Join(t.TempDir(), "cache"), &extensions.Options{
			Host: h, Settings: map[string]backend.Settings{name: {"scope": scope}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Save(t.Context(), cache); err == nil || !strings.HasSuffix(err.Error(), flags) {
			t.Errorf("scope %s: %v", scope, err)
		}
		if says := p.Protection(); strings.Contains(says.Against, "every account") != (scope == "machine") {
			t.Errorf("scope %s: %v", scope, says)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
