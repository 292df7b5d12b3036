//go:build unix

package plugintest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/internal/wire"
	"github.com/msalext/msalext/plugins/file"
)

// A broken plugin has one fault.
type broken struct {
	backend  backend.Backend // nil: the backend "file"
	byHand   bool            // serves without the host's variable
	versions func(offered string) string
	deaf     bool // doesn't end with its input or connection
	noisy    bool // writes on standard output
	options  []grpc.ServerOption

	settings backend.Settings
	caughtBy []string // the cases that name the fault
	slow     bool     // other cases have to wait for it again and again
}

const password = "correct horse battery"

var plugins = map[string]broken{
	"good": {},
	"noisy": {
		noisy: true, caughtBy: []string{"writes on standard output"},
	},
	"deaf": {
		deaf: true, slow: true, caughtBy: []string{"goes on when its connection ends", "goes on when its input ends", "outlives its host"},
	},
	"by-hand": {
		byHand: true, caughtBy: []string{"serves whoever runs it by hand"},
	},
	"newest": {
		versions: func(offered string) string { return offered[strings.LastIndex(offered, ",")+1:] },
		caughtBy: []string{
			"refuses newer hosts", "refuses older and newer hosts", "announces a version that it doesn't speak",
		},
	},
	"only-one": {
		versions: func(offered string) string {
			if offered != "1" {
				return ""
			}
			return "1"
		},
		caughtBy: []string{"refuses newer hosts", "refuses older and newer hosts"},
	},
	"strict": {
		options:  []grpc.ServerOption{grpc.UnaryInterceptor(strict)},
		caughtBy: []string{"stumbles over fields of newer hosts"},
	},
	"know-all": {
		options:  []grpc.ServerOption{grpc.UnknownServiceHandler(knowAll)},
		caughtBy: []string{"answers calls that it doesn't know"},
	},
	"bare": {
		options:  []grpc.ServerOption{grpc.UnaryInterceptor(bare)},
		caughtBy: []string{"fails without an ErrorDetail"},
	},
	"chatty": {
		backend:  bent{load: func(data []byte) { fmt.Fprintf(os.Stderr, "[DEBUG] loaded %x\n", data) }},
		caughtBy: []string{"shows items in its logs"},
	},
	"tell-tale": {
		backend:  bent{open: func(c backend.Config) { fmt.Fprintf(os.Stderr, "[INFO] password %q\n", []byte(c.Secrets["password"])) }},
		settings: backend.Settings{"password": password},
		caughtBy: []string{"shows secret settings in its logs"},
	},
	"boaster": {
		backend:  bent{encrypted: true},
		caughtBy: []string{"keeps items in clear"},
	},
	"forgetful": {
		backend: named{new(memory.Backend), "forgetful"}, caughtBy: []string{"forgets items with its process", "loses items when its host is killed"},
	},
	"overwriter": {
		backend: bent{blind: true}, caughtBy: []string{
			"overwrites from a wrong base", "overwrites what should be absent", "fails without an ErrorDetail",
		},
	},
}

// serve is the main function of a plugin without the care of package plugin.
func (b broken) serve() {
	if os.Getenv(wire.CookieKey) != wire.CookieValue && !b.byHand {
		os.Exit(1)
	}
	version := "1"
	if b.versions != nil {
		version = b.versions(os.Getenv("PLUGIN_PROTOCOL_VERSIONS"))
	}
	dir := os.Getenv("PLUGIN_UNIX_SOCKET_DIR")
	if dir == "" {
		dir = os.TempDir()
	}
	if version == "" {
		os.Exit(4)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, fmt.Sprint("p", os.Getpid())))
	if err != nil {
		os.Exit(4)
	}
	fmt.Printf("1|%s|unix|%s|grpc|\n", version, listener.Addr())
	if b.noisy {
		fmt.Println("ready")
	}
	server := grpc.NewServer(append(append(wire.ServerOptions(), b.options...), grpc.StatsHandler(b.connections()))...)
	wire.Register(server, b.named())
	go b.endWithInput()
	_ = server.Serve(listener)
}

func (b broken) endWithInput() {
	if b.deaf {
		return
	}
	var byte1 [1]byte
	_, _ = os.Stdin.Read(byte1[:])
	os.Exit(0)
}

func (b broken) named() backend.Backend {
	if b.backend == nil {
		return bent{}
	}
	return b.backend
}

func strict(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if m, ok := req.(proto.Message); ok && len(m.ProtoReflect().GetUnknown()) > 0 {
		return nil, status.Error(codes.InvalidArgument, "unknown field")
	}
	return next(ctx, req)
}

func knowAll(any, grpc.ServerStream) error { return status.Error(codes.Internal, "no such call") }

// bare drops the details of errors.
func bare(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	resp, err := next(ctx, req)
	if st, _ := status.FromError(err); err != nil {
		return nil, status.Error(st.Code(), st.Message())
	}
	return resp, nil
}

type named struct {
	backend.Backend
	name string
}

func (n named) Describe() backend.Description { return backend.Description{Name: n.name, Version: "1"} }

// bent is the backend "file" with a fault.
type bent struct {
	open      func(backend.Config)
	load      func([]byte)
	encrypted bool
	blind     bool // replaces any version
}

func (b bent) Describe() backend.Description {
	return backend.Description{
		Name: os.Getenv(wire.BackendEnv), Version: "1",
		Settings: []backend.Setting{{Name: "password", Doc: "unused", Secret: true}},
	}
}

func (b bent) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if b.open != nil {
		b.open(c)
	}
	c.Secrets = nil
	s, err := file.Backend().Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return &bentStore{Store: s, bent: b}, nil
}

type bentStore struct {
	backend.Store
	bent bent
}

func (s *bentStore) Info() backend.Info {
	info := s.Store.Info()
	info.Caps = 0
	if s.bent.encrypted {
		info.Encrypted, info.Method = true, "ROT26"
	}
	return info
}

func (s *bentStore) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := s.Store.Load(ctx, key, have)
	if s.bent.load != nil {
		s.bent.load(blob.Data)
	}
	return blob, err
}

func (s *bentStore) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	v, err := s.Store.Save(ctx, key, data, base)
	for s.bent.blind && errors.Is(err, backend.ErrConflict) {
		blob, _ := s.Store.Load(ctx, key, backend.None)
		v, err = s.Store.Save(ctx, key, data, blob.Version)
	}
	return v, err
}
