package plugin

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/peercred"
	"github.com/msalext/msalext/internal/wire"
	"google.golang.org/grpc"
)

// What go-plugin's host puts into the environment.
const (
	envClientCert = "PLUGIN_CLIENT_CERT"
	envSocketDir  = "PLUGIN_UNIX_SOCKET_DIR"
	envVersions   = "PLUGIN_PROTOCOL_VERSIONS"
	envMinPort    = "PLUGIN_MIN_PORT"
	envMaxPort    = "PLUGIN_MAX_PORT"
)

// process is this process while it is a plugin. It is reachable until the end,
// and so are the standard streams: the runtime closes a file that nothing
// refers to any more.
type process struct {
	backend   backend.Backend
	parent    int
	stdio     stdio
	logs      *logs
	life      *lifetime
	server    *grpc.Server
	service   *wire.Service
	socketDir string
}

// serve serves the backend that choose returns, and exits. The backend is
// touched only once its output can't reach the host.
func serve(choose func() (backend.Backend, bool)) {
	p := &process{parent: os.Getppid(), socketDir: os.Getenv(envSocketDir)}
	harden()
	p.stdio = takeStdio()
	p.logs = newLogs(p.stdio.err, os.Getenv(wire.LogEnv))
	slog.SetDefault(slog.New(p.logs.handler()))
	p.life = newLifetime(p.stop)
	var ok bool
	if p.backend, ok = choose(); !ok {
		quit(wire.ExitNoBackend, "this program doesn't serve the backend "+wire.Clean(os.Getenv(wire.BackendEnv))+
			": it must pass it to plugin.ServeIfInvoked")
	}
	if runtime.GOOS == "windows" && os.Getenv(envClientCert) == "" {
		quit(wire.ExitUnavailable, "the host sent no certificate, and without one every user of this machine could connect")
	}
	goplugin.Serve(p.config())
	p.exit()
}

func (p *process) config() *goplugin.ServeConfig {
	return &goplugin.ServeConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]goplugin.PluginSet{wire.ProtocolVersion: {wire.ServiceName: served{process: p}}},
		GRPCServer:       p.newServer,
		Logger:           p.logs.logger,
	}
}

// newServer makes the gRPC server. go-plugin's options are its TLS, or none.
func (p *process) newServer(opts []grpc.ServerOption) *grpc.Server {
	if len(opts) == 0 && peercred.Supported {
		check := peercred.Check{PID: func() int { return p.parent }, Refused: func(err error) {
			slog.Warn("refused a connection", "reason", err.Error())
		}}
		opts = append(opts, grpc.Creds(check.Credentials()))
	}
	opts = append(opts, grpc.StatsHandler(p.life))
	p.server = grpc.NewServer(append(opts, wire.ServerOptions()...)...)
	return p.server
}

// served is what go-plugin knows of the backend. The broker is for plugins
// that call back, which ours never do.
type served struct {
	goplugin.NetRPCUnsupportedPlugin
	process *process
}

func (s served) GRPCServer(_ *goplugin.GRPCBroker, server *grpc.Server) error {
	p := s.process
	p.service = wire.Register(server, p.backend)
	p.logs.scrub(p.service.Scrub)
	// Programs that the backend starts must not take themselves for plugins, nor
	// hand these on to plugins of their own.
	for _, name := range []string{
		wire.CookieKey, wire.BackendEnv, envClientCert, envSocketDir, envVersions, envMinPort, envMaxPort,
	} {
		_ = os.Unsetenv(name)
	}
	p.life.begin(p.stdio.in)
	os.Stdout = p.stdio.out // for the handshake, which go-plugin prints next and then takes it away again
	return nil
}

func (served) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is the plugin's side")
}

const (
	// grace bounds the end: no call of a healthy store takes longer. It is for a
	// plugin whose host died. A host that lives waits for its calls before it
	// lets the plugin go; one that closes in the middle of them kills sooner.
	grace = 5 * time.Second
	// flush is how long the last answers have to leave. It can't be waited for:
	// go-plugin's own streams last as long as the connection.
	flush = 250 * time.Millisecond
)

// stop ends the process in order; it returns when the server has stopped,
// which makes go-plugin's Serve return.
func (p *process) stop(reason string) {
	slog.Debug("the plugin ends", "reason", reason)
	time.AfterFunc(grace+time.Second, func() { os.Exit(wire.ExitDone) }) // a hung Stop must not keep the process
	p.close()
	if p.life.orphan() { // nobody waits for an answer
		p.server.Stop()
		return
	}
	time.AfterFunc(flush, p.server.Stop)
	p.server.GracefulStop()
}

func (p *process) close() {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := p.service.Close(ctx); err != nil {
		slog.Warn("the plugin ends although a call is running", "err", err)
	}
}

// exit follows the end of Serve, which the host can bring about too.
func (p *process) exit() {
	if p.service == nil {
		os.Exit(wire.ExitUnavailable) // go-plugin has logged why
	}
	p.close()
	if p.socketDir != "" {
		_ = os.Remove(p.socketDir) // the host may be gone and can't; a directory that isn't empty stays
	}
	os.Exit(wire.ExitDone)
}
