package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc"
)

// Watch ends silently with ctx, as a local store's does.
func (s *store) Watch(ctx context.Context, key string) iter.Seq2[backend.Version, error] {
	return func(yield func(backend.Version, error) bool) {
		open := func(ctx context.Context) (grpc.ServerStreamingClient[pb.WatchResponse], error) {
			return s.rpc.Watch(ctx, &pb.WatchRequest{Store: s.number, Key: []byte(key)}, plainCall()...)
		}
		err := receive(ctx, s, "watch", open, func(m *pb.WatchResponse) (bool, error) {
			// An item that was deleted has no version, so empty is fine.
			v, err := s.at("watch").anyVersion(m.GetVersion())
			return err == nil && yield(v, nil), err
		})
		if err == nil {
			err = s.at("watch").broke("it stopped watching")
		}
		if !errors.Is(err, errStopped) && ctx.Err() == nil {
			yield(backend.None, err)
		}
	}
}

func (s *store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		open := func(ctx context.Context) (grpc.ServerStreamingClient[pb.KeysResponse], error) {
			return s.rpc.Keys(ctx, &pb.KeysRequest{Store: s.number, Prefix: []byte(prefix)}, plainCall()...)
		}
		var all listing
		err := receive(ctx, s, "list", open, func(m *pb.KeysResponse) (bool, error) {
			switch {
			case !bytes.HasPrefix(m.GetKey(), []byte(prefix)):
				return false, s.at("list").broke("it listed a key that doesn't begin with the prefix")
			case !all.takes(m.GetKey()):
				return false, s.at("list").broke("it listed too much")
			}
			return yield(keyInfoOf(m), nil), nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(backend.KeyInfo{}, err)
		}
	}
}

// errStopped tells that the caller wants no more.
var errStopped = errors.New("stopped")

// receive gives each message of a stream to take, until take says false or
// fails, the store closes, or the stream ends: nil. Whatever ends it, the
// stream's context is cancelled, which frees what gRPC keeps for it.
func receive[M any](
	caller context.Context, s *store, op string,
	open func(context.Context) (grpc.ServerStreamingClient[M], error), take func(*M) (bool, error),
) error {
	if s.life.Err() != nil {
		return s.closed(op)
	}
	ctx, cancel := context.WithCancel(caller)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	stream, err := open(ctx)
	for err == nil {
		var m *M
		if m, err = stream.Recv(); err != nil {
			break
		}
		more, failed := take(m)
		if failed != nil {
			return failed
		}
		if !more {
			return errStopped
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case s.life.Err() != nil:
		return s.closed(op)
	}
	return s.at(op).decode(caller, err)
}
