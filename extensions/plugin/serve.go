package plugin

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/peercred"
	"github.com/msalext/msalext/internal/wire"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
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
	listener, guard, err := announce(p.stdio.out, p.socketDir)
	if err != nil {
		quit(wire.ExitUnavailable, "the plugin can't serve: "+wire.Clean(err.Error()))
	}
	p.passOn(listener, guard)
	// From here on the host connects, and the system lets it wait for the rest.
	go wire.Prepare()
	p.newServer(guard)
	p.life.begin(p.stdio.in) // before any call, which a signal mustn't end
	if err := p.server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		slog.Error("the plugin can't serve any more", "err", err)
	}
	p.exit()
}

// newServer makes the gRPC server. guard is TLS; where it is nil, the kernel's
// word about the peer takes its place.
func (p *process) newServer(guard credentials.TransportCredentials) {
	opts := append(wire.ServerOptions(), grpc.StatsHandler(p.life))
	if guard == nil && peercred.Supported {
		check := peercred.Check{PID: func() int { return p.parent }, Refused: func(err error) {
			slog.Warn("refused a connection", "reason", err.Error())
		}}
		guard = check.Credentials()
	}
	if guard != nil {
		opts = append(opts, grpc.Creds(guard))
	}
	p.server = grpc.NewServer(opts...)
	p.service = wire.Register(p.server, p.backend)
	registerHealth(p.server)
	registerController(p.server, func() { p.life.end("the host asked for it") })
	p.logs.scrub(p.service.Scrub)
	// Programs that the backend starts must not take themselves for plugins, nor
	// hand these on to plugins of their own.
	for _, name := range []string{
		wire.CookieKey, wire.BackendEnv, envClientCert, envSocketDir, envVersions, envMinPort, envMaxPort,
	} {
		_ = os.Unsetenv(name)
	}
}

const (
	// grace bounds the end: no call of a healthy store takes longer. It is for a
	// plugin whose host died. A host that lives waits for its calls before it
	// lets the plugin go; one that closes in the middle of them kills sooner.
	grace = 5 * time.Second
	// flush is how long the last answers have to leave.
	flush = 250 * time.Millisecond
)

// stop ends the process in order; it returns when the server has stopped,
// which makes Serve return.
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

// exit follows the end of Serve.
func (p *process) exit() {
	p.close()
	if p.socketDir != "" {
		_ = os.Remove(p.socketDir) // the host may be gone and can't; a directory that isn't empty stays
	}
	os.Exit(wire.ExitDone)
}
