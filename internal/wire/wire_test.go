package wire

import (
	"context"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// patience is ten times and more what any awaited event needs.
const patience = 20 * time.Second

// logged is what the tests log.
var logged syncBuffer

type syncBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	os.Exit(m.Run())
}

// link is a gRPC server and a connection to it, in this process.
type link struct {
	server *grpc.Server
	conn   *grpc.ClientConn
}

func serveOn(t *testing.T, register func(*grpc.Server)) link {
	t.Helper()
	l := link{server: grpc.NewServer(ServerOptions()...)}
	register(l.server)
	pipe := bufconn.Listen(1 << 20)
	go func() { _ = l.server.Serve(pipe) }()
	conn, err := grpc.NewClient("passthrough:///plugin", append(DialOptions(),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	l.conn = conn
	t.Cleanup(func() { _ = conn.Close(); l.server.Stop() })
	return l
}

// remote serves b and returns it as a client sees it.
func remote(t *testing.T, b backend.Backend) (*Client, *Service, link) {
	t.Helper()
	var service *Service
	l := serveOn(t, func(s *grpc.Server) { service = Register(s, b) })
	c, err := NewClient(t.Context(), l.conn, Options{Name: b.Describe().Name})
	if err != nil {
		t.Fatal(err)
	}
	return c, service, l
}

func openStore(t *testing.T, b backend.Backend, c backend.Config) backend.Store {
	t.Helper()
	s, err := b.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hostile connects a client to a hand-written server.
func hostile(t *testing.T, s pb.PersistenceServer) (*Client, error) {
	t.Helper()
	l := serveOn(t, func(g *grpc.Server) { pb.RegisterPersistenceServer(g, s) })
	return NewClient(t.Context(), l.conn, Options{})
}

// settled waits until no goroutine runs a function whose name holds part.
func settled(t *testing.T, part string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !strings.Contains(string(stacks), part) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines are left:\n%s", stacks)
		}
		runtime.Gosched()
	}
}

// fake is a backend and store whose every call is a function; nil ones
// succeed with nothing.
type fake struct {
	description backend.Description
	info        backend.Info
	open        func(context.Context, backend.Config) (backend.Store, error)
	load        func(context.Context, string, backend.Version) (backend.Blob, error)
	save        func(context.Context, string, []byte, backend.Version) (backend.Version, error)
	remove      func(context.Context) error
	close       func() error
}

func (f *fake) Describe() backend.Description { return f.description }

func (f *fake) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if f.open != nil {
		return f.open(ctx, c)
	}
	return f, nil
}

func (f *fake) Info() backend.Info { return f.info }

func (f *fake) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	return f.load(ctx, key, have)
}

func (f *fake) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	return f.save(ctx, key, data, base)
}

func (f *fake) Delete(ctx context.Context, _ string, _ backend.Version) error { return f.remove(ctx) }

func (f *fake) Close() error {
	if f.close != nil {
		return f.close()
	}
	return nil
}
