//go:build interop

// Package interop tests msalext beside the real MSAL Extensions of other
// languages: who keeps whom out, what survives, who notices what. ci/peers has
// their programs.
//
//	ci/interop/run            installs the peers and runs all
//	ci/interop/run -short     with fewer rounds
package interop

import (
	"testing"

	"github.com/msalext/msalext/internal/testproc"
)

func TestMain(m *testing.M) {
	testproc.Main(m, testproc.Children{
		"hold": hold, "contend": contend, "change": change, "read": read, "watch": watch,
	}, removeBuilt)
}
