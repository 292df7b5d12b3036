package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
)

// server has the methods of the protocol. Service isn't it, so that its own
// methods can be named for what they do.
type server struct {
	pb.UnimplementedPersistenceServer
	service *Service
}

func (s server) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	var resp *pb.DescribeResponse
	err := s.service.call("describe", func() error {
		resp = describeResponse(s.service.backend.Describe())
		return nil
	})
	return resp, err
}

func (s server) Open(ctx context.Context, req *pb.OpenRequest) (*pb.OpenResponse, error) {
	service, cfg := s.service, configOf(req)
	service.learn(cfg.Secrets)
	var resp *pb.OpenResponse
	err := service.call("open", func() error {
		if err := service.environment(req.GetEnvironment()); err != nil {
			return err
		}
		store, err := service.backend.Open(ctx, cfg)
		if err == nil {
			resp, err = service.keep(ctx, store)
		}
		return err
	})
	return resp, err
}

// Close of a store that isn't open is fine: it may have been closed before.
func (s server) Close(_ context.Context, req *pb.CloseRequest) (*pb.CloseResponse, error) {
	err := s.service.call("close", func() error {
		e := s.service.forget(req.GetStore())
		if e == nil {
			return nil
		}
		e.end(backend.ErrClosed)
		return e.store.Close()
	})
	return &pb.CloseResponse{}, err
}

// learn adds secrets to those that no text may show.
func (s *Service) learn(secrets map[string]backend.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scrub = s.scrub.with(secrets)
}

// environment sets the variables that the host sends. They are the wishes of
// the backend itself: a host that sends others is refused, since a variable
// such as LD_PRELOAD changes what the process does.
func (s *Service) environment(env map[string]string) error {
	if len(env) == 0 {
		return nil
	}
	wanted := s.backend.Describe().Env
	for name, value := range env {
		if !slices.Contains(wanted, name) {
			return &backend.Error{
				Kind: backend.ErrInvalid, Err: fmt.Errorf("the backend doesn't use the environment variable %q", name),
				Hint: "allow only variables that the backend's description lists",
			}
		}
		if old, ok := os.LookupEnv(name); ok && old == value {
			continue
		}
		if strings.ContainsRune(value, 0) || os.Setenv(name, value) != nil {
			return &backend.Error{Kind: backend.ErrInvalid, Err: fmt.Errorf("the environment variable %q can't have that value", name)}
		}
	}
	return nil
}

// keep gives an opened store its number, unless nobody waits for it any more.
func (s *Service) keep(ctx context.Context, store backend.Store) (*pb.OpenResponse, error) {
	if store == nil {
		return nil, &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("the backend returned no store")}
	}
	e := newServed(store)
	number, err := s.number(e)
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
		s.forget(number)
	}
	if err != nil {
		_ = store.Close() // nobody learns of this store
		return nil, err
	}
	return &pb.OpenResponse{Store: number, Info: infoMessage(e.info, s.scrubber())}, nil
}

func (s *Service) number(e *served) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return 0, errShutdown
	}
	s.last++
	s.stores[s.last] = e
	return s.last, nil
}

// forget takes a store out; nil: it isn't there.
func (s *Service) forget(number uint64) *served {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.stores[number]
	delete(s.stores, number)
	return e
}
