package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/envelope"
)

// unlisting is a backend that can't tell what it keeps.
type unlisting struct{ memory.Backend }

func (u *unlisting) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	s, err := u.Backend.Open(ctx, c)
	return silent{s}, err
}

// silent hides the powers of a store.
type silent struct{ backend.Store }

func (s silent) Info() backend.Info {
	info := s.Store.Info()
	info.Caps = 0
	return info
}

func openUnlisting(t *testing.T, keys envelope.Keys) *extensions.Persistence {
	t.Helper()
	p, err := extensions.Open(t.Context(), "memory", filepath.Join(t.TempDir(), "cache"),
		&extensions.Options{InProcess: []backend.Backend{&unlisting{}}, Envelope: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// A purge that failed doesn't say that nothing is there.
func TestPurgeThatFails(t *testing.T) {
	t.Parallel()
	for _, asJSON := range []bool{false, true} {
		p := openUnlisting(t, nil)
		var out strings.Builder
		c := &command{out: &out, err: &out, json: asJSON}
		err := c.remove(t.Context(), p, &extensions.PurgeOptions{DryRun: true})
		if !errors.Is(err, backend.ErrUnsupported) || out.Len() > 0 {
			t.Errorf("%v, and it said %q", err, &out)
		}
	}
}
