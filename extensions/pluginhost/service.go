package pluginhost

import (
	"context"
	"sync"
	"time"
)

// A service is one backend's plugin: its process, started when it is needed
// and let go when no store needs it.
type service struct {
	host *Host
	name string

	mu     sync.Mutex
	cur    *process
	flight *flight // the start under way, joined by all who need it
	users  int     // stores that are open or being opened, and calls under way
	idle   *time.Timer
	losses int // starts that failed and processes that died young, in a row
}

// A flight is one start, under way or over.
type flight struct {
	done    chan struct{}
	process *process
	err     error
}

// A process that lived this long died of something else than its start.
const settled = 10 * time.Second

// process returns the running process, or starts one. ctx ends the wait, and
// not the start, which others may wait for.
func (s *service) process(ctx context.Context) (*process, error) {
	s.mu.Lock()
	if s.host.ctx.Err() != nil {
		s.mu.Unlock()
		return nil, closedError("start plugin", s.name)
	}
	if s.cur != nil && s.cur.usable() {
		defer s.mu.Unlock()
		return s.cur, nil
	}
	if s.flight == nil {
		s.drop(s.cur)
		s.flight = &flight{done: make(chan struct{})}
		f, wait := s.flight, s.backOff()
		s.host.work.Go(func() { s.start(f, wait) })
	}
	f := s.flight
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.process, f.err
	case <-ctx.Done():
		return nil, ended("start plugin", s.name, ctx)
	}
}

// backOff is how long the next start has to wait: nothing after one loss.
func (s *service) backOff() time.Duration {
	if s.losses < 2 {
		return 0
	}
	return min(50*time.Millisecond<<min(s.losses-2, 10), 2*time.Second)
}

func (s *service) start(f *flight, wait time.Duration) {
	defer close(f.done)
	select {
	case <-time.After(wait):
		f.process, f.err = s.launch()
	case <-s.host.ctx.Done():
		f.err = closedError("start plugin", s.name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	if f.process == nil {
		return
	}
	s.cur = f.process
	s.host.work.Go(func() { <-f.process.gone })
	if s.users == 0 {
		s.lingerOn()
	}
	if s.host.ctx.Err() != nil {
		f.process.release()
	}
}

func (s *service) launch() (*process, error) {
	h := s.host
	h.sweepOnce()
	prog, err := h.find(s.name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(h.ctx, h.options.StartTimeout)
	defer cancel()
	p, err := launch(ctx, prog, &h.options, h.around.environment())
	if err != nil {
		if h.ctx.Err() != nil {
			err = closedError("start plugin", s.name)
		}
		s.mu.Lock()
		s.losses++
		s.mu.Unlock()
		return nil, err
	}
	h.options.Logger.Debug("plugin started", "plugin", s.name, "pid", p.child.pid, "path", prog.path)
	return p, nil
}

// lost notes that a process can't be used any more, and ends it if it runs.
func (s *service) lost(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(p)
}

func (s *service) drop(p *process) {
	if p == nil || p != s.cur {
		return
	}
	s.forget()
	if !p.meant.Load() {
		s.losses++
	}
	p.kill()
}

// forget leaves the process to itself, and earlier losses behind if it lived
// long enough.
func (s *service) forget() {
	if time.Since(s.cur.began) >= settled {
		s.losses = 0
	}
	s.cur = nil
}

// enter counts a store, or a call of one, that needs the process.
func (s *service) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
	if s.idle != nil {
		s.idle.Stop()
		s.idle = nil
	}
}

// leave counts it out. The last one lets the process go.
func (s *service) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		s.letGo()
	}
}

func (s *service) letGo() {
	if s.cur != nil {
		s.cur.release()
		s.forget()
	}
}

// lingerOn keeps a process for the store that is likely to be opened next.
func (s *service) lingerOn() {
	if s.idle != nil {
		s.idle.Stop()
	}
	s.idle = time.AfterFunc(linger, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.users == 0 {
			s.letGo()
		}
	})
}

// end lets everything go, when the host closes.
func (s *service) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil {
		s.idle.Stop()
	}
	s.letGo()
}
