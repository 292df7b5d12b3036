package wire

import (
	"time"

	"google.golang.org/grpc"
)

// handshakeWithin bounds what an unfinished connection may hold.
const handshakeWithin = 10 * time.Second

// ServerOptions are what a server of [Register] needs: [MaxMessage] both ways,
// in place of gRPC's own 4 MiB for what it receives.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.MaxSendMsgSize(MaxMessage),
		grpc.ConnectionTimeout(handshakeWithin),
	}
}

// callOptions hold for each call, whatever the connection was made with:
// go-plugin's own would take 2 GiB from a plugin.
func callOptions() []grpc.CallOption {
	return []grpc.CallOption{
		grpc.MaxCallRecvMsgSize(MaxMessage),
		grpc.MaxCallSendMsgSize(MaxMessage),
	}
}
