package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"unicode"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/wire"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
)

func init() { hostile["giant"] = giant }

// giant serves without the SDK, and so without its limits.
func giant() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]goplugin.PluginSet{wire.ProtocolVersion: {wire.ServiceName: giantPlugin{}}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.MaxSendMsgSize(math.MaxInt), grpc.ForceServerCodecV2(giantCodec{encoding.GetCodecV2("proto")}))...)
		},
	})
}

// giantCodec sends 1 GiB for each Load, without having that much.
type giantCodec struct{ encoding.CodecV2 }

func (c giantCodec) Marshal(v any) (mem.BufferSlice, error) {
	if _, ok := v.(*pb.LoadResponse); !ok {
		return c.CodecV2.Marshal(v)
	}
	head := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.BytesType), 1<<30)
	message, piece := mem.BufferSlice{mem.SliceBuffer(head)}, mem.SliceBuffer(make([]byte, 1<<20))
	for range 1 << 10 {
		message = append(message, piece)
	}
	return message, nil
}

type giantPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (giantPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterPersistenceServer(s, giantServer{})
	return nil
}

func (giantPlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.ErrUnsupported
}

const escapes = "\x1b[2J\x1b]0;owned\x07\r\x00\u202e\u009b31m"

type giantServer struct {
	pb.UnimplementedPersistenceServer
}

func (giantServer) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	return &pb.DescribeResponse{Name: "giant", Version: escapes}, nil
}

func (giantServer) Open(context.Context, *pb.OpenRequest) (*pb.OpenResponse, error) {
	return &pb.OpenResponse{Store: 1, Info: &pb.Info{Method: escapes, Against: escapes, Location: escapes,
		Capabilities: uint32(pb.Capability_CAPABILITY_WATCH) | 1<<31}}, nil
}

func (giantServer) Load(context.Context, *pb.LoadRequest) (*pb.LoadResponse, error) {
	return &pb.LoadResponse{}, nil
}

func (giantServer) Save(context.Context, *pb.SaveRequest) (*pb.SaveResponse, error) {
	return nil, status.Error(codes.PermissionDenied, escapes)
}

func (giantServer) Watch(_ *pb.WatchRequest, to grpc.ServerStreamingServer[pb.WatchResponse]) error {
	for i := 0; ; i++ {
		if err := to.Send(&pb.WatchResponse{Version: fmt.Append(nil, i)}); err != nil {
			return err
		}
	}
}

func TestPluginWithoutMeasure(t *testing.T) {
	h := newHost(t, nil)
	s, _ := mustOpen(t, h, "giant")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := s.Load(t.Context(), "", ""); !errors.Is(err, backend.ErrTooLarge) {
		t.Errorf("1 GiB gave %v", err)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 128<<20 {
		t.Errorf("the host took %d MiB for it", grown>>20)
	}
	w, ok := backend.Can[backend.Watcher](s, backend.CanWatch)
	if !ok {
		t.Fatal("it doesn't announce Watch")
	}
	seen := 0
	for _, err := range w.Watch(t.Context(), "") {
		if seen++; err != nil || seen == 10_000 {
			break
		}
	}
	if seen != 10_000 {
		t.Errorf("an endless Watch ended after %d", seen)
	}
	_, err := s.Save(t.Context(), "", []byte("x"), "")
	info := s.Info()
	for _, text := range []string{fmt.Sprint(err), info.Method, info.Against, info.Location} {
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Errorf("control characters arrive: %q", text)
		}
	}
	if info.Caps != backend.CanWatch {
		t.Errorf("powers %q", info.Caps)
	}
}
