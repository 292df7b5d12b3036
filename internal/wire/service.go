package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc"
)

// A Service serves one backend. It is safe for concurrent use.
type Service struct {
	backend backend.Backend

	mu      sync.Mutex
	stores  map[uint64]*served
	last    uint64
	closing bool
	closed  chan struct{} // closed when the shutdown is through
	running sync.WaitGroup
	scrub   *scrubber // knows the secrets of every store that was opened
}

// Register serves b on s, and returns the service for its shutdown. b is not
// called before a request arrives.
func Register(s grpc.ServiceRegistrar, b backend.Backend) *Service {
	service := &Service{backend: b, stores: map[uint64]*served{}, closed: make(chan struct{})}
	pb.RegisterPersistenceServer(s, server{service: service})
	return service
}

// Scrub replaces the values of secret settings in text, for logs. The secrets
// of closed stores are still known.
func (s *Service) Scrub(text string) string {
	s.mu.Lock()
	scrub := s.scrub
	s.mu.Unlock()
	return scrub.text(text)
}

// Close refuses new calls as a lost connection would, ends the streams, waits
// for running calls until ctx ends, and closes the stores. A second call waits
// for the first. The error is ctx's when calls or stores were left behind.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closing
	s.closing = true
	stores := slices.Collect(maps.Values(s.stores))
	s.mu.Unlock()
	if first {
		go s.shutdown(ctx, stores)
	}
	select {
	case <-s.closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("shut the plugin down: %w", ctx.Err())
	}
}

func (s *Service) shutdown(ctx context.Context, stores []*served) {
	for _, e := range stores {
		e.end(errShutdown)
	}
	idle := make(chan struct{})
	go func() { s.running.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-ctx.Done(): // a store is told to close also when a call hangs in it
	}
	var closing sync.WaitGroup
	for _, e := range stores {
		closing.Go(func() { _ = s.guard("close", e.store.Close) })
	}
	closing.Wait()
	<-idle
	close(s.closed)
}

// enter counts a call in; its caller owes running.Done.
func (s *Service) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return errShutdown
	}
	s.running.Add(1)
	return nil
}

func (s *Service) find(number uint64) (*served, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.stores[number]; e != nil {
		return e, nil
	}
	return nil, backend.ErrClosed
}

// call runs fn as one call of the protocol: counted, with panics caught and
// its error encoded.
func (s *Service) call(op string, fn func() error) error {
	err := s.enter()
	if err == nil {
		defer s.running.Done()
		err = s.guard(op, fn)
	}
	return encode(op, err, s.scrubber())
}

func (s *Service) scrubber() *scrubber {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.scrub
}

// guard turns a panic into an error. Its value may hold anything, tokens too,
// so neither error nor log show it.
func (s *Service) guard(op string, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			slog.Error("the backend panicked", "op", op, "panic", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			err = &backend.Error{
				Op: op, Err: errors.New("the backend crashed in this call"),
				Hint: "this is a defect of the backend: report it to its author, with the plugin's log",
			}
		}
	}()
	return fn()
}
