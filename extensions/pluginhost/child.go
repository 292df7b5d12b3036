package pluginhost

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"time"
)

// drain is how long output is still read after a process has ended. A process
// that it started may hold the pipes open for ever.
const drain = 200 * time.Millisecond

// A child is a plugin's operating-system process with its pipes. Somebody
// always waits for it, so none is left as a zombie.
type child struct {
	cmd    *exec.Cmd
	pid    int
	stdin  *os.File // ours to hold open: its end tells the plugin that the host is gone
	stdout *os.File
	stderr *os.File
	group  group

	exited  chan struct{}  // closed when the process has ended and was waited for
	readers sync.WaitGroup // of stdout and stderr

	mu   sync.Mutex
	over bool // the process id may belong to another process by now
}

// spawn starts cmd with pipes of ours and in a process group of its own. The
// caller sets the readers on their way, and then lets reap wait for the process.
func spawn(cmd *exec.Cmd) (*child, error) {
	c := &child{cmd: cmd, exited: make(chan struct{})}
	theirs, err := c.pipes()
	if err == nil {
		isolate(cmd)
		err = cmd.Start()
	}
	closeAll(theirs...)
	if err != nil {
		c.closeOurs()
		return nil, err
	}
	c.pid = cmd.Process.Pid
	c.group = adopt(cmd.Process)
	return c, nil
}

// pipes gives cmd the far ends, which it returns. They are files and not
// writers, so that exec.Cmd.Wait doesn't wait for their end.
func (c *child) pipes() ([]*os.File, error) {
	inR, inW, err1 := os.Pipe()
	outR, outW, err2 := os.Pipe()
	errR, errW, err3 := os.Pipe()
	c.stdin, c.stdout, c.stderr = inW, outR, errR
	theirs := []*os.File{inR, outW, errW}
	if err := errors.Join(err1, err2, err3); err != nil {
		return theirs, err
	}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = inR, outW, errW
	return theirs, nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

func (c *child) closeOurs() { closeAll(c.stdin, c.stdout, c.stderr) }

// reap waits for the process, ends what it started and left behind, and lets
// the readers come to an end.
func (c *child) reap() {
	c.await()
	c.group.close()
	_ = c.stdin.Close()
	// Not by a deadline, which pipes on Windows don't have.
	enough := time.AfterFunc(drain, func() { closeAll(c.stdout, c.stderr) })
	close(c.exited)
	c.readers.Wait()
	enough.Stop()
	closeAll(c.stdout, c.stderr)
}

// kill ends the process and its group at once. It may be called at any time
// and more than once.
func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.group.kill(c.pid)
	}
}

// hangUp ends the process's standard input.
func (c *child) hangUp() { _ = c.stdin.Close() }

// state tells how the process ended; empty while it runs.
func (c *child) state() string {
	select {
	case <-c.exited:
		return c.cmd.ProcessState.String()
	default:
		return ""
	}
}
