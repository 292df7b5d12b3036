package pluginhost

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/connectivity"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/wire"
)

// A process is a plugin that has started, with the connection to it.
type process struct {
	name    string
	began   time.Time
	runner  *processRunner
	child   *child
	dir     *socketDir
	client  *goplugin.Client
	conn    *goplugin.GRPCClient
	backend *wire.Client

	badPeer atomic.Pointer[error] // who listens on the socket isn't the process
	silence silence

	dialed chan struct{} // closed when go-plugin has started and connected, or failed
	meant  atomic.Bool   // it was let go because nobody needs it
	once   sync.Once
	letGo  chan struct{} // closed when it has to end
	gone   chan struct{} // closed when nothing of it is left
}

// usable tells whether a call has a chance: the process runs, and its
// connection, which isn't made a second time, stands.
func (p *process) usable() bool {
	select {
	case <-p.child.exited:
		return false
	case <-p.letGo:
		return false
	default:
		return p.conn.Conn.GetState() == connectivity.Ready
	}
}

// release lets the plugin go: it notices the end of connection and input, and
// ends by itself. It doesn't wait.
func (p *process) release() {
	p.meant.Store(true)
	p.end()
}

func (p *process) end() { p.once.Do(func() { close(p.letGo) }) }

// kill ends the plugin at once. It doesn't wait.
func (p *process) kill() {
	p.child.kill()
	p.end()
}

// supervise sees the process to its end, and clears up.
func (p *process) supervise() {
	defer close(p.gone)
	select {
	case <-p.child.exited:
	case <-p.letGo:
		_ = p.conn.Conn.Close()
		p.child.hangUp()
		p.child.endWithin(grace)
	}
	p.end()
	p.clear()
}

// endWithin gives the process some time to end, unless it is stopped.
func (c *child) endWithin(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	if !stopped(c.pid) {
		select {
		case <-c.exited:
			return
		case <-timer.C:
		}
	}
	c.kill()
	<-c.exited
}

// clear lets go of what go-plugin holds. The process has ended, so that none of
// its calls waits for an answer.
func (p *process) clear() {
	p.child.readers.Wait()
	p.dropClient()
	p.dir.remove()
}

// guarded turns a panic of go-plugin, which trusts plugins more than this
// package does, into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("go-plugin could not cope with what the plugin sent")
		}
	}()
	return f()
}

// launch starts a program and returns once it has described itself. Whatever
// fails, nothing is left of the attempt. It closes prog, once nothing can
// execute its descriptor any more. lookup has the variables that it inherits.
func launch(ctx context.Context, prog *program, o *Options, lookup func(string) (string, bool)) (*process, error) {
	cert, err := certFor(o)
	if err != nil {
		prog.Close()
		return nil, backend.Wrap("start plugin", prog.name, backend.ErrUnavailable, err)
	}
	dir, err := newSocketDir(socketBases())
	if err != nil {
		prog.Close()
		return nil, &backend.Error{
			Op: "start plugin", Backend: prog.name, Kind: backend.ErrDenied, Err: err,
			Hint: "set XDG_RUNTIME_DIR or TMPDIR to a directory of the user's own with a short path",
		}
	}
	p := &process{
		name: prog.name, began: time.Now(), dir: dir,
		dialed: make(chan struct{}), letGo: make(chan struct{}), gone: make(chan struct{}),
	}
	logger := o.Logger.With("plugin", prog.name)
	p.runner = &processRunner{plan: plan{
		program: prog, socketDir: dir.path, cert: cert, logger: logger, level: levelName(logger), lookup: lookup,
	}}
	p.client = goplugin.NewClient(p.clientConfig(ctx, o))
	if err = p.connect(ctx, o); err != nil {
		p.abandon()
		return nil, p.startError(ctx, o, err)
	}
	prog.Close()
	go p.supervise()
	return p, nil
}

// connect does the blocking part. go-plugin takes no context, and holds one
// mutex that blocks Kill too; ending the process through the runner frees it.
func (p *process) connect(ctx context.Context, o *Options) error {
	var err error
	go func() {
		defer close(p.dialed)
		err = guarded(p.dial)
	}()
	select {
	case <-p.dialed:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	p.child = p.runner.process()
	return p.introduce(ctx, o)
}

func (p *process) dial() error {
	raw, err := p.client.Client()
	if err != nil {
		return err
	}
	conn, ok := raw.(*goplugin.GRPCClient)
	if !ok {
		return errTransport
	}
	p.conn = conn
	return nil
}

// introduce asks the plugin who it is, and looks at its file once more.
func (p *process) introduce(ctx context.Context, o *Options) error {
	client, err := wire.NewClient(ctx, p.conn.Conn, wire.Options{
		Name:        p.name,
		Environment: func(wanted []string) map[string]string { return granted(wanted, o.Env) },
	})
	if err != nil {
		return err
	}
	p.backend = client
	return p.runner.plan.program.unchanged()
}

// abandon clears up after a failed start. Even a killed process, or its start,
// can hang in the kernel, on a dead network disk; then it goes on in the
// background.
func (p *process) abandon() {
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = p.runner.Kill(context.Background())
		<-p.dialed
		if p.child = p.runner.process(); p.child != nil {
			<-p.child.exited
			p.child.readers.Wait()
		}
		p.dropClient()
		p.dir.remove()
		p.runner.plan.program.Close()
	}()
	select {
	case <-over:
	case <-time.After(grace):
	}
}

func (p *process) dropClient() {
	_ = guarded(func() error {
		if p.conn != nil {
			_ = p.conn.Close()
		}
		p.client.Kill()
		return nil
	})
}
