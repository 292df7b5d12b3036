package libsecret

import (
	"context"
	"errors"
	"sync"

	"github.com/godbus/dbus/v5"
)

// sessionBus is the one connection of this process.
var sessionBus = &shared{turn: make(chan struct{}, 1)}

// shared connects when somebody needs it, and closes with its last user.
type shared struct {
	turn chan struct{} // held to change service: a mutex that a context can leave

	mu      sync.Mutex
	users   int
	service *service
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
		s.closeLocked()
	}
}

func (s *shared) closeLocked() {
	if s.service != nil {
		_ = s.service.conn.Close()
		s.service = nil
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
	if live := s.live(); live != nil {
		return live, nil
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	opened, err := openService(ctx, conn, activate)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return opened, s.keep(opened)
}

func (s *shared) live() *service {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service != nil && !s.service.conn.Connected() {
		s.closeLocked()
	}
	return s.service
}

func (s *shared) keep(opened *service) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 { // the last store was closed meanwhile
		_ = opened.conn.Close()
		return dbus.ErrClosed
	}
	s.service = opened
	return nil
}

// forget drops a connection whose session the service doesn't know any more.
func (s *shared) forget(old *service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service == old {
		s.closeLocked()
	}
}

// stale tells whether a call failed because the service was started again, or
// the connection had ended, before the call: nothing was done.
func stale(err error) bool {
	var e dbus.Error
	return errors.As(err, &e) && e.Name == noSession
}
