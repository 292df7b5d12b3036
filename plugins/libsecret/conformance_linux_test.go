//go:build secretservice

package libsecret_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/plugins/libsecret"
)

// places numbers the caches of the tests: all lie in one keyring.
var places atomic.Int32

func unused(t backendtest.T, settings backend.Settings) backend.Config {
	path := filepath.Join(t.TempDir(), "cache")
	all := backend.Settings{"attribute.test": fmt.Sprint(places.Add(1))}
	for name, value := range settings {
		all[name] = value
	}
	return backend.Config{Location: path, Path: path, Settings: all}
}

// harness removes what the last case left: each change writes the whole
// keyring, which cases with large items would make slow for all others.
type harness struct{ *backendtest.Opener }

func (h harness) Open(t backendtest.T) backend.Store {
	if h.Config().Path != "" {
		empty(t, h.Opener)
	}
	return h.Opener.Open(t)
}

func empty(t backendtest.T, o *backendtest.Opener) {
	s := o.Reopen(t)
	defer s.Close()
	for info, err := range s.(backend.Lister).Keys(t.Context(), "") {
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		blob, err := s.Load(t.Context(), info.Key, backend.None)
		if err == nil {
			err = s.Delete(t.Context(), info.Key, blob.Version)
		}
		if err != nil {
			t.Fatalf("clean %q: %v", info.Key, err)
		}
	}
}

func TestConformance(t *testing.T) {
	for name, settings := range map[string]backend.Settings{
		"raw":    nil,
		"base64": {"encoding": "base64", "schema": "base64", "match-schema": "false"},
	} {
		t.Run(name, func(t *testing.T) {
			backendtest.Run(t, harness{&backendtest.Opener{
				Backend:   libsecret.Backend(),
				NewConfig: func(t backendtest.T) backend.Config { return unused(t, settings) },
			}})
		})
	}
}
