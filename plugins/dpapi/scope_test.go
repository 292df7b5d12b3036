//go:build !windows || amd64

package dpapi

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

// Not parallel: on Windows it takes the API's place for a moment.
func TestScope(t *testing.T) {
	for scope, machine := range map[string]bool{"": false, "user": false, "machine": true} {
		s := opened(t, filepath.Join(t.TempDir(), "cache"), backend.Settings{"scope": scope}, "")
		if got := savesForMachine(t, s); got != machine {
			t.Errorf("scope %q: for the machine %v", scope, got)
		}
		if info := s.Info(); !info.Encrypted || strings.Contains(info.Against, "every account") != machine || strings.Contains(info.Method, "machine") != machine {
			t.Errorf("scope %q: %+v", scope, info)
		}
	}
}
