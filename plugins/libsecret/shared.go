package libsecret

import (
	"context"
	"sync"

	"github.com/godbus/dbus/v5"
)

// sessionBus is the one connection of this process.
var sessionBus = newShared(busAddress)

// shared connects when somebody needs it, and closes with its last user.
type shared struct {
	address func() string // asked at each new connection
	turn    chan struct{} // held to connect: a mutex that a context can leave

	mu      sync.Mutex
	users   int
	bus     *bus
	service *service // on bus; nil: none was found yet, or it has gone
}

func newShared(address func() string) *shared {
	return &shared{address: address, turn: make(chan struct{}, 1)}
}

func (s *shared) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
}

func (s *shared) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		s.disconnect()
	}
}

// disconnect is called with mu held.
func (s *shared) disconnect() {
	if s.bus != nil {
		s.bus.close()
		s.bus, s.service = nil, nil
	}
}

// use returns the service, connected and with a session.
func (s *shared) use(ctx context.Context, activate bool) (*service, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b, live := s.current()
	if live != nil {
		return live, nil
	}
	if b == nil {
		var err error
		if b, err = dial(ctx, s.address()); err != nil {
			return nil, err
		}
		if err := s.connected(b); err != nil {
			return nil, err
		}
	}
	opened, err := openService(ctx, b, activate)
	if err != nil {
		return nil, err
	}
	return opened, s.opened(opened)
}

func (s *shared) current() (*bus, *service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bus != nil && !s.bus.usable() {
		s.disconnect()
	}
	return s.bus, s.service
}

func (s *shared) connected(b *bus) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 { // the last store was closed meanwhile
		b.close()
		return dbus.ErrClosed
	}
	s.bus = b
	return nil
}

func (s *shared) opened(opened *service) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bus != opened.bus {
		return dbus.ErrClosed
	}
	s.service = opened
	return nil
}

// forget drops a service that has gone or lost our session. The connection
// stays: others may be waiting for answers on it.
func (s *shared) forget(old *service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service == old {
		s.service = nil
	}
}
