package wire

import (
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/protobuf/proto"
)

// Prepare does now what would else be a part of the first calls: protobuf
// builds its tables for a type of message when it first meets one, which takes
// several times as long as a call. Both sides do it while they wait for each
// other. It takes up to a millisecond, and next to nothing when it is called
// again. It is safe for concurrent use.
func Prepare() {
	for _, m := range []proto.Message{
		&pb.DescribeRequest{}, &pb.DescribeResponse{Settings: []*pb.Setting{{}}},
		&pb.OpenRequest{}, &pb.OpenResponse{Info: &pb.Info{}},
		&pb.LoadRequest{}, &pb.LoadResponse{},
		&pb.CloseRequest{}, &pb.CloseResponse{},
	} {
		if raw, err := proto.Marshal(m); err == nil {
			_ = proto.Unmarshal(raw, m.ProtoReflect().New().Interface())
		}
	}
}
