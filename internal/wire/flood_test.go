package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
)

// endless lists keys of the size given for as long as anybody listens.
type endless struct {
	liar
	size int
}

func (e *endless) Keys(_ *pb.KeysRequest, out grpc.ServerStreamingServer[pb.KeysResponse]) error {
	key := make([]byte, e.size)
	for i := uint64(0); ; i++ {
		binary.BigEndian.PutUint64(key, i)
		if err := out.Send(&pb.KeysResponse{Key: key}); err != nil {
			return err
		}
	}
}

func TestEndlessListing(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"largest keys": maxKey, "too large a key": maxKey + 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := hostile(t, &endless{liar{describe: &pb.DescribeResponse{}, open: &pb.OpenResponse{}}, size})
			if err != nil {
				t.Fatal(err)
			}
			kept, last := 0, error(nil)
			for k, err := range openStore(t, c, backend.Config{}).(backend.Lister).Keys(t.Context(), "") {
				kept, last = kept+len(k.Key), err
			}
			wantBroken(t, last)
			if kept > maxListing || kept > 0 != (size <= maxKey) {
				t.Errorf("%d bytes of keys got through", kept)
			}
		})
	}
}

func TestListingOfSmallKeys(t *testing.T) {
	t.Parallel()
	var l listing
	n := 0
	for l.takes(nil) {
		n++
	}
	if n != maxListing/keyCost {
		t.Errorf("%d empty keys are taken", n)
	}
}

// heavy answers much where little belongs.
type heavy struct{ liar }

func (*heavy) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	return &pb.DescribeResponse{Name: string(bytes.Repeat([]byte("x"), maxAnswer))}, nil
}

func (*heavy) Open(context.Context, *pb.OpenRequest) (*pb.OpenResponse, error) {
	return &pb.OpenResponse{Info: &pb.Info{Method: string(bytes.Repeat([]byte("x"), maxAnswer))}}, nil
}

func TestHeavyAnswers(t *testing.T) {
	t.Parallel()
	if c, err := hostile(t, &heavy{}); err == nil {
		t.Errorf("described as %.9q", c.Describe().Name)
	}
	l := serveOn(t, func(g *grpc.Server) { pb.RegisterPersistenceServer(g, &heavy{}) })
	c := &Client{rpc: pb.NewPersistenceClient(l.conn)}
	if s, err := c.Open(t.Context(), backend.Config{}); err == nil {
		t.Errorf("opened: %.9q", s.Info().Method)
	}
	_, err := pb.NewPersistenceClient(l.conn).Describe(t.Context(), &pb.DescribeRequest{}, itemCall()...)
	if err != nil {
		t.Errorf("without the limit it would not have got through: %v", err)
	}
}

// detailed fails with very many details.
type detailed struct{ liar }

func (*detailed) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	details := make([]*anypb.Any, maxHeaders)
	for i := range details {
		details[i] = &anypb.Any{}
	}
	return nil, status.FromProto(&spb.Status{Code: int32(codes.NotFound), Details: details}).Err()
}

func TestManyDetails(t *testing.T) {
	t.Parallel()
	_, err := hostile(t, &detailed{})
	if !errors.Is(err, backend.ErrUnavailable) || !errors.Is(err, ErrUnexplained) {
		t.Errorf("decoded: %v", err)
	}
}
