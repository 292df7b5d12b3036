//go:build unix

package pluginhost

import (
	"context"
	"net"

	"google.golang.org/grpc"

	"github.com/msalext/msalext/internal/peercred"
)

// withTLS: a private directory and the kernel's word are enough here.
func withTLS(o *Options) bool { return o.AutoMTLS }

// peerOptions makes the connection ourselves, to ask the kernel who listens,
// whether or not TLS follows: it has to be the very process that was started.
func (p *process) peerOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", p.runner.hand.address)
		if err != nil {
			return nil, err
		}
		check := peercred.Check{PID: func() int { return p.runner.process().pid }}
		if err := check.Conn(conn); err != nil {
			_ = conn.Close()
			p.badPeer.Store(&err)
			return nil, err
		}
		return conn, nil
	})}
}
