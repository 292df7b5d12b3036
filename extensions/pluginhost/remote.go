package pluginhost

import (
	"context"
	"fmt"
	"sync"

	"github.com/msalext/msalext/extensions/backend"
)

// remote is a plugin's backend as programs see it: it outlives the process.
type remote struct {
	service     *service
	description backend.Description
	origin      string
}

// Origin tells people where a backend that came from a Host runs: "the plugin
// /usr/libexec/msalext/msalext-plugin-libsecret". It is empty for any other
// backend. A plugin that is replaced meanwhile isn't told of.
func Origin(b backend.Backend) string {
	if r, ok := b.(*remote); ok {
		return r.origin
	}
	return ""
}

// Describe returns what the plugin said when Backend started it.
func (r *remote) Describe() backend.Description { return r.description }

// Open opens a store, and keeps the plugin running until it is closed.
func (r *remote) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	r.service.enter()
	s := newStore(r.service, c)
	_, err := call(ctx, s, "open", again, func(context.Context, backend.Store) (none, error) { return none{}, nil })
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// A store is one store of a plugin. Behind it is a store of the process of the
// moment; when that is gone, the store is opened again with the same Config.
type store struct {
	service *service
	config  backend.Config

	turn chan struct{}      // full while the store is opened: one at a time does, and nobody waits in vain
	life context.Context    // ends with Close
	end  context.CancelFunc // says so

	mu      sync.Mutex
	process *process
	inner   backend.Store
	known   bool // info is set
	info    backend.Info
}

func newStore(service *service, c backend.Config) *store {
	s := &store{service: service, config: c, turn: make(chan struct{}, 1)}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// bind returns the store in process p, opening it there if need be.
func (s *store) bind(ctx context.Context, p *process) (backend.Store, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ended("open", s.service.name, ctx)
	case <-s.life.Done():
		return nil, closedError("open", s.service.name)
	}
	if at, inner := s.bound(); at == p {
		return inner, nil
	}
	opening, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	inner, err := p.backend.Open(opening, s.config)
	if err == nil {
		if err = s.accept(p, inner); err != nil {
			_ = inner.Close()
		}
	}
	switch {
	case err != nil && s.isClosed():
		return nil, closedError("open", s.service.name)
	case err != nil:
		return nil, err
	}
	return inner, nil
}

// bound returns the process of the moment and the store in it; nil: none.
func (s *store) bound() (*process, backend.Store) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process, s.inner
}

// accept takes the store that was opened in process p, if Info stays what it
// was: callers decided by it where to look for changes and what to promise.
func (s *store) accept(p *process, inner backend.Store) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return closedError("open", s.service.name)
	}
	if err := s.agree(inner.Info(), p.runner.plan.program.path); err != nil {
		return err
	}
	s.process, s.inner = p, inner
	return nil
}

// agree compares Info with what it was the first time.
func (s *store) agree(now backend.Info, path string) error {
	if !s.known {
		s.info, s.known = now, true
		return nil
	}
	was := s.info
	if now.Encrypted == was.Encrypted && now.Stamp == was.Stamp &&
		now.Caps&was.Caps == was.Caps && now.Caps&backend.CanCAS == was.Caps&backend.CanCAS {
		return nil
	}
	return refused(s.service.name, path, "restart the program", "%s", changed(was, now))
}

func changed(was, now backend.Info) string {
	return fmt.Sprintf("its store has changed since it was opened: encrypted %v, now %v; stamp %d, now %d; powers %q, now %q",
		was.Encrypted, now.Encrypted, was.Stamp, now.Stamp, was.Caps, now.Caps)
}

func (s *store) isClosed() bool { return s.life.Err() != nil }

// Info is what the store said when it was opened.
func (s *store) Info() backend.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

// Close closes the store, and lets the plugin go if it was the last one.
func (s *store) Close() error {
	s.mu.Lock()
	closed := s.isClosed()
	s.end()
	s.mu.Unlock()
	if closed {
		return nil
	}
	err := s.unbind()
	s.service.leave()
	return err
}

// unbind closes the store of the moment, as long as its process can answer.
func (s *store) unbind() error {
	s.mu.Lock()
	p, inner := s.process, s.inner
	s.process, s.inner = nil, nil
	s.mu.Unlock()
	if inner == nil || !p.usable() {
		return nil
	}
	if stopped(p.child.pid) {
		p.kill()
		return nil
	}
	return inner.Close()
}
