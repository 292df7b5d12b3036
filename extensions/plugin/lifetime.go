package plugin

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/stats"
)

// connectWithin is how long the process waits for its host.
var connectWithin = 10 * time.Second

// lifetime decides when the process ends. It counts connections as gRPC's
// stats handler; those that credentials refuse don't count.
type lifetime struct {
	stop  func(reason string)
	once  sync.Once
	gone  atomic.Bool // the host closed our standard input
	mu    sync.Mutex
	open  int
	alone *time.Timer
}

func newLifetime(stop func(reason string)) *lifetime { return &lifetime{stop: stop} }

// begin starts to wait for the host, and for the end of in, which the host
// holds open as long as it lives.
func (l *lifetime) begin(in *os.File) {
	l.mu.Lock()
	l.alone = time.AfterFunc(connectWithin, func() { l.end("no host connected in time") })
	l.mu.Unlock()
	if isPipe(in) {
		go l.watch(in)
	}
	l.signals()
}

// isPipe tells whether f is a host's pipe. A terminal or a file would be the
// input of somebody else, and /dev/null ends at once.
func isPipe(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

func (l *lifetime) watch(in *os.File) {
	_, _ = io.Copy(io.Discard, in)
	l.gone.Store(true)
	l.end("standard input ended")
}

// signals keeps the signals that a terminal sends to hosts from ending the
// plugin within a call, and takes only SIGTERM for itself. A broken standard
// error, too, must not kill it: the host may be gone while a save is running.
func (l *lifetime) signals() {
	end, ignore := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(end, endSignals...)
	signal.Notify(ignore, ignoredSignals...) // without signal.Ignore, which the backend's children would inherit
	go func() {
		<-end
		l.end("asked to by a signal")
	}()
}

func (l *lifetime) end(reason string) {
	l.once.Do(func() { go l.stop(reason) })
}

func (l *lifetime) orphan() bool { return l.gone.Load() }

// HandleConn counts connections.
func (l *lifetime) HandleConn(_ context.Context, s stats.ConnStats) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s.(type) {
	case *stats.ConnBegin:
		l.open++
		if l.alone != nil {
			l.alone.Stop()
		}
	case *stats.ConnEnd:
		if l.open--; l.open == 0 {
			l.end("the host closed its last connection")
		}
	}
}

// TagConn adds nothing.
func (*lifetime) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// TagRPC adds nothing.
func (*lifetime) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC does nothing: only connections count.
func (*lifetime) HandleRPC(context.Context, stats.RPCStats) {}
