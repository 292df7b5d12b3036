//go:build !msalext_debug || !unix

package plugin

import (
	"net"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/wire"
	"google.golang.org/grpc/credentials"
)

// serveDebug refuses: a plugin that people use must not have a second way in.
func serveDebug(backend.Backend) {
	quit(wire.ExitByHand, "this build can't be debugged: build it with -tags msalext_debug (on Unix), and don't ship that one")
}

func (*process) passOn(net.Listener, credentials.TransportCredentials) {}
