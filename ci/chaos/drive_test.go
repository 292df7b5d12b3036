//go:build chaos

package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
)

// A driver does one thing at a time, when told to. It is told, and answers, by
// system calls that nothing else makes, so that faults can be injected into
// all that it does in between.

// answer is what came of an order.
type answer struct {
	Err, Kind, Hint string
	Meant           string // sum of the state that was to be stored
	Loaded          string // sum of what a load gave
}

// The orders.
const (
	update = "update"
	load   = "load"
	remove = "delete"
	aside  = "quarantine"
)

// driveChild is the driver: way, location. The socket is file 3.
func driveChild(args []string) error {
	const socket = 3
	syscall.CloseOnExec(socket) // a plugin that had it would hide our death
	runtime.LockOSThread()      // strace counts calls by thread
	p, closeAll, err := open(args[0], args[1], nil)
	if err != nil {
		return err
	}
	order := make([]byte, 64)
	for {
		if err := reply(socket, answer{}); err != nil {
			return errors.Join(err, closeAll())
		}
		n, err := receive(socket, order)
		if err != nil || n == 0 {
			return errors.Join(err, closeAll())
		}
		if err := reply(socket, carryOut(p, string(order[:n]))); err != nil {
			return err
		}
		if n, err = receive(socket, order); err != nil || n == 0 { // the parent stops injecting first
			return errors.Join(err, closeAll())
		}
	}
}

// orderTime is how long an order may take where a fault lasts.
const orderTime = 5 * time.Second

func carryOut(p *extensions.Persistence, order string) (a answer) {
	ctx, cancel := context.WithTimeout(context.Background(), orderTime)
	defer cancel()
	var err error
	switch order {
	case update:
		err = p.Update(ctx, func(old []byte) ([]byte, error) {
			s, data, err := next(old)
			a.Meant = s.Sum
			return data, err
		})
	case load:
		var data []byte
		if data, err = p.Load(ctx); err == nil {
			s, perr := parse(data)
			a.Loaded, err = s.Sum, perr
		}
	case remove:
		err = p.Delete(ctx)
	case aside:
		_, err = persist.NewPersistedTokenCache(p, nil).Quarantine(ctx)
	default:
		err = errors.New("no such order: " + order)
	}
	if err == nil {
		return a
	}
	a.Err = err.Error()
	if kind := backend.KindOf(err); kind != nil {
		a.Kind = kind.Error()
	}
	if e := (*backend.Error)(nil); errors.As(err, &e) {
		a.Hint = e.Hint
	}
	return a
}

func receive(socket int, b []byte) (n int, err error) {
	for {
		if n, _, err = syscall.Recvfrom(socket, b, 0); err != syscall.EINTR {
			return n, err
		}
	}
}

func reply(socket int, a answer) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	for {
		if err := syscall.Sendto(socket, b, syscall.MSG_NOSIGNAL, nil); err != syscall.EINTR {
			return err
		}
	}
}

// driver is a driver's other end.
type driver struct {
	cmd   *exec.Cmd
	conn  *os.File
	said  *os.File // what it wrote to stderr
	ended bool
}

func (p place) drive(t *testing.T, way string) *driver {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.SetNonblock(pair[0], true); err != nil { // deadlines need it
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "driver")
	defer theirs.Close()
	d := &driver{cmd: p.command(t, "drive", way, p.cache()), conn: os.NewFile(uintptr(pair[0]), "orders")}
	d.cmd.ExtraFiles = []*os.File{theirs}
	if d.said, err = os.CreateTemp(t.TempDir(), "stderr"); err != nil {
		t.Fatal(err)
	}
	d.cmd.Stderr = d.said
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(t) })
	return d
}

// hear reads an answer; alive is false when the driver died instead.
func (d *driver) hear(t *testing.T) (a answer, alive bool) {
	t.Helper()
	if err := d.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8<<10)
	n, err := d.conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("no answer within %v", patience)
	}
	if n == 0 {
		return a, false
	}
	if err := json.Unmarshal(b[:n], &a); err != nil {
		t.Fatal(err)
	}
	return a, true
}

// ready waits until the driver waits for an order.
func (d *driver) ready(t *testing.T) {
	t.Helper()
	if _, alive := d.hear(t); !alive {
		t.Fatalf("the driver died: %s", d.stderr())
	}
}

func (d *driver) tell(t *testing.T, word string) {
	t.Helper()
	if _, err := d.conn.Write([]byte(word)); err != nil {
		t.Fatal(err)
	}
}

// do carries out an order that nothing hinders.
func (d *driver) do(t *testing.T, order string) answer {
	t.Helper()
	d.ready(t)
	d.tell(t, order)
	a, alive := d.hear(t)
	if !alive {
		t.Fatalf("the driver died: %s", d.stderr())
	}
	d.tell(t, "on")
	return a
}

func (d *driver) stderr() string {
	b, _ := os.ReadFile(d.said.Name())
	return string(b)
}

// stop lets the driver end, and waits for it.
func (d *driver) stop(t *testing.T) {
	t.Helper()
	if d.ended {
		return
	}
	d.ended = true
	_ = d.conn.Close()
	over := time.AfterFunc(patience, func() { _ = d.cmd.Process.Kill() })
	defer over.Stop()
	_ = d.cmd.Wait() // killed ones have no good exit code
	_ = d.said.Close()
}
