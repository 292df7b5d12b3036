package pluginhost

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// A Host finds, starts and keeps plugin processes: one per backend, shared by
// all stores opened through it. It is safe for concurrent use.
type Host struct {
	options Options
	around  surroundings
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	work    sync.WaitGroup // starts under way, processes, the sweep
	sweep   sync.Once

	mu       sync.Mutex
	services map[string]*service
}

// New returns a Host; nil options are the zero Options. It starts nothing.
func New(o *Options) *Host {
	h := &Host{options: o.filled(), around: here(), services: map[string]*service{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// Default returns the process-wide Host with the zero Options. Whoever closes
// it closes it for the whole program; a program that simply ends needn't, since
// its plugins notice.
var Default = sync.OnceValue(func() *Host { return New(nil) })

// Backend returns a plugin's backend. The plugin is found, checked and started
// now, unless it runs already; ctx bounds the wait.
//
// Errors: ErrInvalid for a name that isn't one; ErrPluginNotFound, with a
// [*NotFoundError]; ErrPluginRefused, with a [*RefusedError], also for a plugin
// that doesn't start as it should; ErrTimeout for one that doesn't answer;
// ErrClosed after Close; context errors.
//
// A process that dies is replaced at the next call, with growing pauses when
// it dies again soon. Load, Open, Keys and Check are then repeated once. Save,
// Delete, Expire and Unlock are not: they may have taken effect, and fail with
// ErrUnavailable and [ErrLost]; so does Watch. A call without a deadline gets
// Options.CallTimeout, and fails with ErrTimeout when it is over. A plugin that
// misses two deadlines in a row is ended when it doesn't say within a second that
// it is there, or has answered no call for CallTimeout; one that is stopped, at
// the first. A store whose plugin comes back with other properties fails with
// ErrPluginRefused.
//
// The process is let go when the last store is closed, or 30 seconds after its
// start when none was opened.
func (h *Host) Backend(ctx context.Context, name string) (backend.Backend, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	s := h.service(name)
	p, err := s.process(ctx)
	if err != nil {
		return nil, err
	}
	return &remote{service: s, description: p.backend.Describe(), origin: p.runner.plan.program.origin()}, nil
}

// Found tells which binary serves a backend.
type Found struct {
	Path string // symlinks resolved; the program's own when Self
	Self bool   // the program itself, started again
}

// Find tells what [Host.Backend] would start, checked as then, and starts
// nothing. The errors are those of Backend.
func (h *Host) Find(name string) (Found, error) {
	p, err := h.find(name)
	if err != nil {
		return Found{}, err
	}
	defer p.Close()
	return Found{Path: p.path, Self: p.file == nil}, nil
}

// UserDir is the directory for plugins that a user installs for themselves:
// msalext/plugins in their data directory. Empty: there is none, for lack of a
// home directory. It need not exist.
func UserDir() string {
	data := userData()
	if data == "" {
		return ""
	}
	return filepath.Join(data, "msalext", "plugins")
}

func (h *Host) service(name string) *service {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.services[name]
	if s == nil {
		s = &service{host: h, name: name}
		h.services[name] = s
	}
	return s
}

// sweepOnce removes what dead hosts left, beside the first start.
func (h *Host) sweepOnce() {
	h.sweep.Do(func() { h.work.Go(func() { sweep(socketBases()) }) })
}

// Close lets all plugins go, and returns when they have ended and nothing is
// left of them, or after 3 seconds: a plugin that doesn't end by itself is
// killed after 2. Calls under way fail; calls that begin later fail with
// ErrClosed. The error is ErrTimeout when something was left. A second call
// does nothing.
func (h *Host) Close() error {
	h.cancel()
	h.mu.Lock()
	for _, s := range h.services {
		s.end()
	}
	h.mu.Unlock()
	over := make(chan struct{})
	go func() {
		h.work.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-time.After(closeTimeout):
		return timeoutError("close", "", closeTimeout)
	}
}
