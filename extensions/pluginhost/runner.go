package pluginhost

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/go-plugin/runner"

	"github.com/msalext/msalext/internal/wire"
)

// A plan is all that a start needs to know.
type plan struct {
	program   *program
	socketDir string    // empty: a loopback port is used
	cert      *hostCert // nil: no TLS
	logger    *slog.Logger
	level     string                      // the least level that the plugin shall log
	lookup    func(string) (string, bool) // where inherited variables come from
}

// A process runner is what go-plugin starts a plugin with. It reads the
// process's real output itself. go-plugin gets one handshake line that was
// checked, and an empty standard error: it would panic at some lines of a
// hostile plugin, and wait for as long as any grandchild holds a pipe.
type processRunner struct {
	plan plan
	env  []string
	hand handshake

	mu     sync.Mutex
	child  *child
	killed bool
}

var _ runner.Runner = (*processRunner)(nil)

var errKilled = errors.New("it was ended while it was starting")

// Start starts the process and waits for its handshake.
func (r *processRunner) Start(ctx context.Context) error {
	c, err := r.spawn()
	if err != nil {
		return err
	}
	log := &logPipe{logger: r.plan.logger}
	c.readers.Go(func() { log.run(c.stderr) })
	line := make(chan error, 1)
	c.readers.Go(func() { r.read(c, line) })
	go c.reap()
	wire.Prepare() // beside the plugin's start, which takes longer
	select {
	case err = <-line:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		c.kill()
		return err
	}
	return nil
}

func (r *processRunner) spawn() (*child, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killed {
		return nil, errKilled
	}
	cmd := command(r.plan.program)
	cmd.Env = r.env
	c, err := spawn(cmd)
	r.child = c
	return c, err
}

// read takes the handshake, and then everything else, so that the plugin never
// blocks on a full pipe.
func (r *processRunner) read(c *child, result chan<- error) {
	reader := bufio.NewReader(c.stdout)
	line, err := readHandshake(reader)
	if err == nil {
		r.hand, err = parseHandshake(line, r.plan.socketDir, r.plan.cert != nil)
	}
	result <- err
	if n, _ := io.Copy(io.Discard, reader); n > 0 {
		r.plan.logger.Warn("plugin wrote on standard output, which isn't its own to use", "bytes", n)
	}
}

// command makes what executes a program. Args[0] is for people who list
// processes.
func command(p *program) *exec.Cmd {
	cmd := &exec.Cmd{Path: p.path, Args: []string{p.path}}
	switch {
	case p.run != "":
		cmd.Path = p.run
	case p.file != nil:
		byDescriptor(cmd, p)
	}
	return cmd
}

// Wait waits for the process's end.
func (r *processRunner) Wait(context.Context) error {
	if c := r.process(); c != nil {
		<-c.exited
	}
	return nil
}

// Kill ends the process and its group at once, or keeps it from starting.
func (r *processRunner) Kill(context.Context) error {
	r.mu.Lock()
	r.killed = true
	c := r.child
	r.mu.Unlock()
	if c != nil {
		c.kill()
	}
	return nil
}

func (r *processRunner) process() *child {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.child
}

// ID is the process id, empty before the start.
func (r *processRunner) ID() string {
	if c := r.process(); c != nil {
		return strconv.Itoa(c.pid)
	}
	return ""
}

// Stdout is the checked handshake and nothing else.
func (r *processRunner) Stdout() io.ReadCloser { return r.hand.line() }

// Stderr is empty.
func (r *processRunner) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name is the program's path.
func (r *processRunner) Name() string { return r.plan.program.path }

// Diagnose has nothing to add: Start tells what it saw.
func (r *processRunner) Diagnose(context.Context) string { return "" }

// PluginToHost is the identity: both sides see the same file system.
func (r *processRunner) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin is the identity too.
func (r *processRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
