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
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(window),
	}
}

const (
	// maxAnswer bounds, in bytes, every answer that holds no item. Many small
	// parts take up to fifty times their bytes once they are decoded.
	maxAnswer = 2 << 20
	// maxHeaders bounds, in bytes, the headers of an answer, in which errors
	// travel: gRPC decodes them before anybody can look.
	maxHeaders = 64 << 10
	// window is how many bytes of an answer, or of a request, may be under way
	// unread. gRPC begins with 64 KiB, so that a cache of usual size would have
	// to wait for the other side several times.
	window = 1 << 20
)

// DialOptions are what the connection of a [Client] needs: they bound what a
// plugin can make its host keep in memory. go-plugin's own options would take
// 2 GiB a message, and gRPC's 16 MiB of headers.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(callOptions(maxAnswer)...),
		grpc.WithMaxHeaderListSize(maxHeaders),
		grpc.WithInitialWindowSize(window),
		grpc.WithInitialConnWindowSize(window),
	}
}

// itemCall is for the call whose answer is an item.
func itemCall() []grpc.CallOption { return callOptions(MaxMessage) }

// plainCall is for all others.
func plainCall() []grpc.CallOption { return callOptions(maxAnswer) }

// callOptions hold for one call, whatever the connection was made with.
func callOptions(answer int) []grpc.CallOption {
	return []grpc.CallOption{grpc.MaxCallRecvMsgSize(answer), grpc.MaxCallSendMsgSize(MaxMessage)}
}
