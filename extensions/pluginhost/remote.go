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
	s := &store{service: r.service, config: c}
	_, err := call(ctx, s, "open", again, func(context.Context, backend.Store) (none, error) { return none{}, nil })
	if err != nil {
		_ = s.unbind()
		r.service.leave()
		return nil, err
	}
	return s, nil
}

// A store is one store of a plugin. Behind it is a store of the process of the
// moment; when that is gone, the store is opened again with the same Config.
type store struct {
	service *service
	config  backend.Config

	bindMu  sync.Mutex // held while the store is opened: one at a time does
	process *process
	inner   backend.Store

	mu     sync.Mutex
	known  bool // info is set
	info   backend.Info
	closed bool
}

// bind returns the store in process p, opening it there if need be.
func (s *store) bind(ctx context.Context, p *process) (backend.Store, error) {
	s.bindMu.Lock()
	defer s.bindMu.Unlock()
	if s.isClosed() {
		return nil, closedError("open", s.service.name)
	}
	if s.process == p {
		return s.inner, nil
	}
	inner, err := p.backend.Open(ctx, s.config)
	if err != nil {
		return nil, err
	}
	if err := s.accept(inner.Info(), p.runner.plan.program.path); err != nil {
		_ = inner.Close()
		return nil, err
	}
	s.process, s.inner = p, inner
	return inner, nil
}

// accept sees to it that Info stays what it was: callers decided by it where
// to look for changes and what to promise.
func (s *store) accept(now backend.Info, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
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

func (s *store) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Info is what the store said when it was opened.
func (s *store) Info() backend.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

// Close closes the store, and lets the plugin go if it was the last one.
func (s *store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
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
	s.bindMu.Lock()
	defer s.bindMu.Unlock()
	p, inner := s.process, s.inner
	s.process, s.inner = nil, nil
	if inner == nil || !p.usable() {
		return nil
	}
	if stopped(p.child.pid) {
		p.kill()
		return nil
	}
	return inner.Close()
}
