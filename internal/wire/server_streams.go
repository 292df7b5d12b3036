package wire

import (
	"context"
	"iter"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc"
)

func (s server) Watch(req *pb.WatchRequest, out grpc.ServerStreamingServer[pb.WatchResponse]) error {
	return s.on("watch", req.GetStore(), func(e *served) error {
		w, err := power[backend.Watcher](e, backend.CanWatch)
		if err != nil {
			return err
		}
		return e.stream(out.Context(), func(ctx context.Context) error {
			return send(w.Watch(ctx, string(req.GetKey())), out, func(v backend.Version) *pb.WatchResponse {
				return &pb.WatchResponse{Version: []byte(v)}
			})
		})
	})
}

func (s server) Keys(req *pb.KeysRequest, out grpc.ServerStreamingServer[pb.KeysResponse]) error {
	return s.on("list", req.GetStore(), func(e *served) error {
		l, err := power[backend.Lister](e, backend.CanList)
		if err != nil {
			return err
		}
		return e.stream(out.Context(), func(ctx context.Context) error {
			return send(l.Keys(ctx, string(req.GetPrefix())), out, keyMessage)
		})
	})
}

func send[T, M any](all iter.Seq2[T, error], out grpc.ServerStreamingServer[M], message func(T) *M) error {
	for v, err := range all {
		if err != nil {
			return err
		}
		if err := out.Send(message(v)); err != nil {
			return err
		}
	}
	return nil
}
