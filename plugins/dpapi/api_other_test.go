//go:build !windows

package dpapi

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

// Not parallel: it takes the fake away.
func TestOnlyOnWindows(t *testing.T) {
	fake := protect
	defer func() { protect = fake }()
	protect = nil
	_, err := Backend().Open(t.Context(), backend.Config{Path: filepath.Join(t.TempDir(), "cache")})
	if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrUnsupported) || !errors.As(err, &e) || e.Hint == "" {
		t.Error(err)
	}
}
