package plugin

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"
)

// registerHealth answers the question that go-plugin's hosts may ask.
func registerHealth(s *grpc.Server) {
	const service = "plugin"
	server := health.NewServer()
	server.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(s, server)
}

// A controller is how go-plugin's hosts ask a plugin to end.
type controller interface {
	Shutdown(context.Context, *emptypb.Empty) (*emptypb.Empty, error)
}

type shutdown func()

// Shutdown answers at once; the end waits for answers.
func (f shutdown) Shutdown(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	f()
	return &emptypb.Empty{}, nil
}

// registerController serves plugin.GRPCController, whose generated code
// go-plugin keeps to itself. Its one message has no fields, as Empty.
func registerController(s *grpc.Server, end func()) {
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "plugin.GRPCController",
		HandlerType: (*controller)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Shutdown", Handler: handleShutdown}},
		Metadata:    "grpc_controller.proto",
	}, shutdown(end))
}

func handleShutdown(server any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := new(emptypb.Empty)
	if err := decode(in); err != nil {
		return nil, err
	}
	return server.(controller).Shutdown(ctx, in)
}
