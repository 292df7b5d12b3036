//go:build unix

package plugintest_test

import (
	"context"
	"os"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// connections ends the process with its last connection.
func (b broken) connections() stats.Handler { return &connections{deaf: b.deaf} }

type connections struct {
	deaf bool
	open atomic.Int32
}

func (c *connections) HandleConn(_ context.Context, s stats.ConnStats) {
	switch s.(type) {
	case *stats.ConnBegin:
		c.open.Add(1)
	case *stats.ConnEnd:
		if c.open.Add(-1) == 0 && !c.deaf {
			os.Exit(0)
		}
	}
}

func (*connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*connections) HandleRPC(context.Context, stats.RPCStats)                         {}
