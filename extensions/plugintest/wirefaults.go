package plugintest

import (
	"bytes"
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
)

func wireFaults() []fault {
	return []fault{
		{"stumbles over fields of newer hosts", "Fields and headers that it doesn't know change no answer.", stumblesOverFields},
		{"answers calls that it doesn't know", "A call of a later version, or of another service, fails with UNIMPLEMENTED, and the plugin goes on.", answersUnknown},
		{"announces powers that don't exist", "Info has no capability bits but those of the protocol; the reserved one isn't set.", announcesUnknown},
		{"fails without an ErrorDetail", "Each failure has the gRPC code of its kind, and an ErrorDetail with the kind.", failsBare},
	}
}

// greased adds fields that no version of the protocol has: a number, a text and
// a message.
func greased[M proto.Message](m M) M {
	const field = 1900
	raw := protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), 1<<40)
	raw = protowire.AppendString(protowire.AppendTag(raw, field+1, protowire.BytesType), "from the future")
	raw = protowire.AppendBytes(protowire.AppendTag(raw, field+2, protowire.BytesType), bytes.Clone(raw))
	m.ProtoReflect().SetUnknown(raw)
	return m
}

func stumblesOverFields(x *examination) {
	d := x.launch(plain)
	d.connect()
	ctx := metadata.AppendToOutgoingContext(x.ctx, "msalext-future", "1", "msalext-future-bin", "\x00\xff")
	if _, err := d.rpc.Describe(ctx, greased(&pb.DescribeRequest{})); err != nil {
		x.Fatalf("describe: %v", err)
	}
	opened, err := d.rpc.Open(ctx, greased(d.openRequest()))
	if err != nil {
		x.Fatalf("open: %v", err)
	}
	id, key, data := opened.GetStore(), []byte("k"), []byte("data")
	saved, err := d.rpc.Save(ctx, greased(&pb.SaveRequest{Store: id, Key: key, Data: data}))
	if err != nil {
		x.Fatalf("save: %v", err)
	}
	loaded, err := d.rpc.Load(ctx, greased(&pb.LoadRequest{Store: id, Key: key}))
	if err != nil || !bytes.Equal(loaded.GetData(), data) || !bytes.Equal(loaded.GetVersion(), saved.GetVersion()) {
		x.Errorf("load: %d bytes, want the %d saved: %v", len(loaded.GetData()), len(data), err)
	}
	if _, err := d.rpc.Delete(ctx, greased(&pb.DeleteRequest{Store: id, Key: key, Base: saved.GetVersion()})); err != nil {
		x.Errorf("delete: %v", err)
	}
	if _, err := d.rpc.Close(ctx, greased(&pb.CloseRequest{Store: id})); err != nil {
		x.Errorf("close: %v", err)
	}
}

func answersUnknown(x *examination) {
	d := x.launch(plain)
	d.connect()
	for _, method := range []string{"/msalext.persistence.v1.Persistence/Foresee", "/msalext.persistence.v2.Persistence/Describe"} {
		err := d.conn.Invoke(x.ctx, method, greased(&pb.CloseRequest{}), &pb.CloseResponse{})
		if status.Code(err) != codes.Unimplemented {
			x.Errorf("%s: %v, want UNIMPLEMENTED", method, status.Code(err))
		}
	}
	d.open()
}

func announcesUnknown(x *examination) {
	const known = backend.CanWatch | backend.CanUnlock | backend.CanList | backend.CanExpire | backend.CanCheck | backend.CanCAS
	d := x.launch(plain)
	d.connect()
	resp, err := d.rpc.Open(x.ctx, d.openRequest())
	if err != nil {
		x.Fatalf("open: %v", err)
	}
	if other := backend.Caps(resp.GetInfo().GetCapabilities()) &^ known; other != 0 {
		x.Errorf("it announces the bits %#x", int(other))
	}
}

// failsBare provokes a failure of each kind that every plugin knows.
func failsBare(x *examination) {
	d := x.launch(plain)
	d.connect()
	id, key := d.open(), []byte("k")
	saved, err := d.rpc.Save(x.ctx, &pb.SaveRequest{Store: id, Key: key, Data: []byte("data")})
	if err != nil {
		x.Fatalf("save: %v", err)
	}
	load := func(store uint64, key string) error {
		_, err := d.rpc.Load(x.ctx, &pb.LoadRequest{Store: store, Key: []byte(key)})
		return err
	}
	save := func(data string, base []byte) error {
		_, err := d.rpc.Save(x.ctx, &pb.SaveRequest{Store: id, Key: key, Data: []byte(data), Base: base})
		return err
	}
	x.wants("load of nothing", load(id, "other"), codes.NotFound, pb.ErrorKind_ERROR_KIND_NOT_FOUND)
	x.wants("save without the version that is stored", save("new", nil), codes.Aborted, pb.ErrorKind_ERROR_KIND_CONFLICT)
	x.wants("save of no bytes", save("", saved.GetVersion()), codes.InvalidArgument, pb.ErrorKind_ERROR_KIND_INVALID)
	x.wants("load from a store that was never opened", load(id+1000, "k"), codes.FailedPrecondition, pb.ErrorKind_ERROR_KIND_CLOSED)
	ended, cancel := context.WithTimeout(x.ctx, exits)
	defer cancel()
	if _, err := d.rpc.Load(ended, &pb.LoadRequest{Store: id, Key: key}, grpc.WaitForReady(true)); err != nil {
		x.Errorf("after all that, load: %v", err)
	}
}

// wants expects a failure with both marks.
func (x *examination) wants(what string, err error, code codes.Code, kind pb.ErrorKind) {
	st, _ := status.FromError(err)
	if err == nil || st.Code() != code {
		x.Errorf("%s: the code is %s, want %s", what, st.Code(), code)
	}
	for _, detail := range st.Details() {
		if d, ok := detail.(*pb.ErrorDetail); ok {
			if d.GetKind() != kind {
				x.Errorf("%s: the kind is %s, want %s", what, d.GetKind(), kind)
			}
			return
		}
	}
	x.Errorf("%s: there is no ErrorDetail", what)
}
