package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc"
)

// liar is a plugin by hand that answers what a test wants.
type liar struct {
	pb.UnimplementedPersistenceServer
	describe *pb.DescribeResponse
	open     *pb.OpenResponse
	load     func() *pb.LoadResponse
	save     *pb.SaveResponse
	keys     []*pb.KeysResponse
	watch    []*pb.WatchResponse
}

func (l *liar) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	return l.describe, nil
}

func (l *liar) Open(context.Context, *pb.OpenRequest) (*pb.OpenResponse, error) { return l.open, nil }
func (l *liar) Load(context.Context, *pb.LoadRequest) (*pb.LoadResponse, error) {
	return l.load(), nil
}
func (l *liar) Save(context.Context, *pb.SaveRequest) (*pb.SaveResponse, error) { return l.save, nil }

func (l *liar) Keys(_ *pb.KeysRequest, out grpc.ServerStreamingServer[pb.KeysResponse]) error {
	for _, k := range l.keys {
		if err := out.Send(k); err != nil {
			return err
		}
	}
	return nil
}

func (l *liar) Watch(_ *pb.WatchRequest, out grpc.ServerStreamingServer[pb.WatchResponse]) error {
	for _, w := range l.watch {
		if err := out.Send(w); err != nil {
			return err
		}
	}
	return nil
}

// lied opens the liar's store.
func lied(t *testing.T, l *liar) backend.Store {
	t.Helper()
	l.describe, l.open = &pb.DescribeResponse{Name: "liar"}, or2(l.open, &pb.OpenResponse{Store: 1})
	c, err := hostile(t, l)
	if err != nil {
		t.Fatal(err)
	}
	return openStore(t, c, backend.Config{})
}

func or2[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

func wantBroken(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrProtocol) || !errors.Is(err, backend.ErrUnavailable) || errors.Is(err, ErrLost) {
		t.Errorf("taken for good: %v", err)
	}
}

func TestHostileLoad(t *testing.T) {
	t.Parallel()
	for name, resp := range map[string]*pb.LoadResponse{
		"data without version":       {Data: []byte("x")},
		"version without data":       {Version: []byte("v")},
		"nothing":                    {},
		"unchanged, another version": {Unchanged: true, Version: []byte("other")},
		"unchanged, no version":      {Unchanged: true},
		"endless version":            {Data: []byte("x"), Version: make([]byte, maxVersion+1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := lied(t, &liar{load: func() *pb.LoadResponse { return resp }})
			_, err := s.Load(t.Context(), "", "have")
			wantBroken(t, err)
			_, err = s.Load(t.Context(), "", backend.None)
			wantBroken(t, err)
		})
	}
}

func TestOneVersionForDifferentData(t *testing.T) {
	t.Parallel()
	n := 0
	s := lied(t, &liar{
		load: func() *pb.LoadResponse {
			n++
			return &pb.LoadResponse{Data: fmt.Append(nil, n), Version: []byte("v")}
		},
		save: &pb.SaveResponse{Version: []byte("v")},
	})
	if _, err := s.Load(t.Context(), "", ""); err != nil {
		t.Fatal(err)
	}
	_, err := s.Load(t.Context(), "", "")
	wantBroken(t, err)
	_, err = s.Save(t.Context(), "", []byte("new"), "v")
	wantBroken(t, err)
	if _, err = s.Save(t.Context(), "", []byte("new"), "v"); err != nil {
		t.Errorf("equal bytes may keep the version: %v", err)
	}
}

func TestHostileSave(t *testing.T) {
	t.Parallel()
	_, err := lied(t, &liar{save: &pb.SaveResponse{}}).Save(t.Context(), "", []byte("x"), "")
	wantBroken(t, err)
}

func TestHostileKeys(t *testing.T) {
	t.Parallel()
	s := lied(t, &liar{keys: []*pb.KeysResponse{
		{Key: []byte("p1"), Size: -9, ModifiedUnixSeconds: 1 << 62, ModifiedNanos: -1},
		{Key: []byte("p2"), ModifiedUnixSeconds: 1, ModifiedNanos: 2},
		{Key: []byte("../q")}, {Key: []byte("p3")},
	}})
	var got []backend.KeyInfo
	var failed error
	for k, err := range s.(backend.Lister).Keys(t.Context(), "p") {
		if failed != nil {
			t.Error("it went on after an error")
		}
		if failed = err; err == nil {
			got = append(got, k)
		}
	}
	wantBroken(t, failed)
	if len(got) != 2 || got[0].Size != -1 || !got[0].Modified.IsZero() || !got[1].Modified.Equal(time.Unix(1, 2)) {
		t.Errorf("%+v", got)
	}
}

func TestHostileWatch(t *testing.T) {
	t.Parallel()
	s := lied(t, &liar{watch: []*pb.WatchResponse{{}, {Version: []byte("v")}, {Version: make([]byte, maxVersion+1)}}})
	var errs []error
	for _, err := range s.(backend.Watcher).Watch(t.Context(), "") {
		errs = append(errs, err)
	}
	if len(errs) != 3 || errs[0] != nil || errs[1] != nil {
		t.Fatalf("%v", errs)
	}
	wantBroken(t, errs[2])
	for _, err := range lied(t, &liar{}).(backend.Watcher).Watch(t.Context(), "") {
		wantBroken(t, err)
	}
}

func TestHostileDescription(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*pb.DescribeResponse{
		"settings":     {Settings: make([]*pb.Setting, maxList+1)},
		"platforms":    {Platforms: make([]string, maxList+1)},
		"environment":  {Environment: make([]string, maxList+1)},
		"no variable":  {Environment: []string{""}},
		"assignment":   {Environment: []string{"A=B"}},
		"control char": {Environment: []string{"A\x00"}},
	} {
		for i := range d.Settings {
			d.Settings[i] = &pb.Setting{}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := hostile(t, &liar{describe: d})
			wantBroken(t, err)
		})
	}
	c, err := hostile(t, &liar{describe: &pb.DescribeResponse{Name: "n\x1b", Settings: []*pb.Setting{{Doc: strings.Repeat("x", 9999)}}}})
	if err != nil || c.Describe().Name != `n\x1b` || len(c.Describe().Settings[0].Doc) > MaxText {
		t.Errorf("%v, %v", c, err)
	}
}

func TestHostileInfo(t *testing.T) {
	t.Parallel()
	open := &pb.OpenResponse{Info: &pb.Info{Stamp: 99, MaxBytes: -1, Capabilities: ^uint32(0), Method: "\x1b[2J", Location: strings.Repeat("€", 999)}}
	i := lied(t, &liar{open: open}).Info()
	if i.Stamp != backend.StampNone || i.MaxBytes != 0 || i.Caps != known || i.Method != `\x1b[2J` || len(i.Location) > MaxText {
		t.Errorf("%+v", i)
	}
	if i := lied(t, &liar{open: &pb.OpenResponse{}}).Info(); i != (backend.Info{}) {
		t.Errorf("no info: %+v", i)
	}
}

func TestAnotherName(t *testing.T) {
	t.Parallel()
	l := serveOn(t, func(s *grpc.Server) {
		pb.RegisterPersistenceServer(s, &liar{describe: &pb.DescribeResponse{Name: "evil"}})
	})
	if _, err := NewClient(t.Context(), l.conn, Options{Name: "file"}); !errors.Is(err, backend.ErrPluginRefused) {
		t.Errorf("%v", err)
	}
}
