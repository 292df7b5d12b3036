//go:build msalext_debug && unix

package plugin

import (
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/msalext/msalext/internal/peercred"
	"github.com/msalext/msalext/internal/wire"
	"google.golang.org/grpc/credentials"
)

// passOn returns unless a process is being debugged that answers for this one.
// What is inside of TLS can't be passed on: that process has other keys.
func (p *process) passOn(listener net.Listener, guard credentials.TransportCredentials) {
	to := debugged(p.backend.Describe().Name)
	switch {
	case to == nil:
		slog.Warn("this plugin was built for debugging, and isn't for other uses")
	case guard != nil:
		slog.Warn("this program uses AutoMTLS, and its plugin can't be debugged")
		_ = to.Close()
	default:
		slog.Warn("another process answers for this plugin, which is being debugged")
		p.relay(listener, to)
	}
}

// relay passes the host's one connection on to the process that is being
// debugged, and exits when either of them ends it.
func (p *process) relay(listener net.Listener, to net.Conn) {
	timer := time.AfterFunc(connectWithin, func() { os.Exit(wire.ExitDone) })
	host, err := listener.Accept()
	timer.Stop()
	check := peercred.Check{PID: func() int { return p.parent }}
	if err == nil {
		err = check.Conn(host)
	}
	if err != nil {
		quit(wire.ExitUnavailable, "the plugin can't serve: "+wire.Clean(err.Error()))
	}
	_ = listener.Close()
	over := make(chan struct{}, 2)
	pass := func(to io.Writer, from io.Reader) {
		_, _ = io.Copy(to, from)
		over <- struct{}{}
	}
	go pass(to, host)
	go pass(host, to)
	<-over
	os.Exit(wire.ExitDone)
}
