package persist

import (
	"testing"

	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/plugin"
	"github.com/msalext/msalext/internal/testproc"
)

func TestMain(m *testing.M) {
	plugin.ServeIfInvoked(&memory.Backend{})
	testproc.Main(m, children)
}

// children are the processes that tests start; those of one system add theirs.
var children = testproc.Children{
	"write": writeChild,
	"touch": touchChild,
	"slow":  slowChild,
}
