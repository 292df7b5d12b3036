package pluginhost

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/msalext/msalext/internal/wire"
)

// servicePlugin satisfies go-plugin, which wants to know what it dispenses.
// The host speaks on the connection itself.
type servicePlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

// GRPCClient returns nothing.
func (servicePlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.ErrUnsupported
}

// GRPCServer registers nothing.
func (servicePlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.ErrUnsupported
}

// newRunner is go-plugin's RunnerFunc. The directory that go-plugin made for
// the socket isn't used: its name is too long, and it is left behind when a
// start fails.
func (p *process) newRunner(_ hclog.Logger, spec *exec.Cmd, tmpDir string) (runner.Runner, error) {
	_ = os.Remove(tmpDir)
	plan := p.runner.plan
	env := append(spec.Env, wire.LogEnv+"="+plan.level)
	if plan.cert != nil {
		env = append(env, clientCertEnv+"="+plan.cert.pem)
	}
	p.runner.env = processEnv(plan.lookup, env, plan.socketDir, p.name)
	return p.runner, nil
}

// withoutBroker keeps go-plugin from opening the stream by which a plugin
// could ask for further connections.
func withoutBroker(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
	open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if method == "/plugin.GRPCBroker/StartStream" {
		return nil, status.Error(codes.Unimplemented, "no broker")
	}
	return open(ctx, desc, cc, method, opts...)
}

// clientConfig is go-plugin's part of a start.
func (p *process) clientConfig(ctx context.Context, o *Options) *goplugin.ClientConfig {
	timeout := o.StartTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
	}
	c := &goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{
			wire.ProtocolVersion: {wire.ServiceName: servicePlugin{}},
		},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		RunnerFunc:       p.newRunner,
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: p.dir.path},
		SkipHostEnv:      true,
		StartTimeout:     max(timeout, time.Millisecond),
		Logger:           hclog.NewNullLogger(),
		MinPort:          0, // with MaxPort not 0 too: whatever port the system gives
		MaxPort:          1,
		GRPCDialOptions:  p.dialOptions(),
	}
	if cert := p.runner.plan.cert; cert != nil {
		c.TLSConfig = cert.config
	}
	return c
}

func (p *process) dialOptions() []grpc.DialOption {
	options := append(wire.DialOptions(),
		grpc.WithIdleTimeout(0), // a plugin ends with its connection
		grpc.WithDisableServiceConfig(),
		grpc.WithStreamInterceptor(withoutBroker),
	)
	return append(options, p.peerOptions()...)
}
