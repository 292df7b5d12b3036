//go:build e2e

package e2e

import (
	"strconv"
	"testing"

	"github.com/msalext/msalext/internal/testproc"
)

func freePort(t testing.TB) string {
	t.Helper()
	return strconv.Itoa(testproc.FreePort(t))
}
