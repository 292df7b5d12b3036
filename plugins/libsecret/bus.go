package libsecret

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/godbus/dbus/v5"
)

// patience is how long bus and service may take for one call of the store, or
// for one message. It is less than the 3 s that the host allows under the lock,
// so that the error says what was silent.
const patience = 2500 * time.Millisecond

// bus is a connection to a message bus.
type bus struct {
	*dbus.Conn
	socket *link
}

// dial connects to a session bus that is there. It starts none, as godbus and
// libdbus do where no address is set.
func dial(ctx context.Context, address string) (*bus, error) {
	socket, err := connect(ctx, address)
	if err != nil {
		return nil, err
	}
	l := &link{Conn: socket, in: bufio.NewReader(socket)}
	conn, err := dbus.NewConn(l)
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	b := &bus{conn, l}
	if err := b.greet(ctx); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// greet gives both greetings a deadline, which they don't have of their own.
func (b *bus) greet(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = b.socket.Close() })
	defer stop()
	err := b.Auth(nil)
	if err == nil {
		err = b.Hello()
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return refused(errors.New("the session bus doesn't take the connection"))
	}
}

func (b *bus) usable() bool { return b.Connected() && !b.socket.broken.Load() }

// close ends a write that is under way too, for which godbus would wait.
func (b *bus) close() {
	_ = b.socket.Close()
	_ = b.Close()
}

// request calls a method. godbus writes without regard to ctx; what a stopped
// bus doesn't take ends by the link's own deadline, after the caller has gone.
func (b *bus) request(ctx context.Context, to string, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	return b.send(ctx, dbus.FlagNoAutoStart, to, path, method, args...)
}

// tell is a request that nobody waits to see answered.
func (b *bus) tell(to string, path dbus.ObjectPath, method string) {
	const sent = 100 * time.Millisecond // for a bus that takes nothing
	ctx, cancel := context.WithTimeout(context.Background(), sent)
	defer cancel()
	b.send(ctx, dbus.FlagNoAutoStart|dbus.FlagNoReplyExpected, to, path, method)
}

func (b *bus) send(ctx context.Context, flags dbus.Flags, to string, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	m := message(flags, to, path, method, args)
	answered, sent := make(chan *dbus.Call, 1), make(chan struct{})
	go func() {
		b.SendWithContext(ctx, m, answered)
		close(sent)
	}()
	if flags&dbus.FlagNoReplyExpected != 0 {
		select {
		case <-sent:
		case <-ctx.Done():
		}
		return &dbus.Call{Err: ctx.Err()}
	}
	select {
	case call := <-answered:
		return call
	case <-ctx.Done():
		return &dbus.Call{Err: ctx.Err()}
	}
}

// daemon calls a method of the bus itself.
func (b *bus) daemon(ctx context.Context, method string, args ...any) *dbus.Call {
	return b.request(ctx, busInterface, "/org/freedesktop/DBus", busInterface+"."+method, args...)
}

// link is a connection whose writes end: godbus waits for them, while a stopped
// bus takes nothing. It hands out messages as textual makes them.
type link struct {
	net.Conn
	broken atomic.Bool // godbus takes a moment to see it
	begun  atomic.Bool // the greeting is over, and messages follow
	in     *bufio.Reader
	unread []byte // of a message
}

// begin is what the client's part of the greeting ends with.
const begin = "BEGIN\r\n"

func (l *link) Read(p []byte) (n int, err error) {
	if !l.begun.Load() {
		return l.Conn.Read(p)
	}
	if len(l.unread) == 0 {
		message, err := frame(l.in)
		if err != nil {
			return 0, err
		}
		l.unread = textual(message)
	}
	n = copy(p, l.unread)
	l.unread = l.unread[n:]
	return n, nil
}

func (l *link) Write(p []byte) (int, error) {
	if err := l.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	if string(p) == begin {
		l.begun.Store(true)
	}
	n, err := l.Conn.Write(p)
	if err != nil {
		l.broken.Store(true)
		_ = l.Close() // half a message may be out: nothing can follow it
		err = fmt.Errorf("the session bus takes no messages: %w", err)
	}
	return n, err
}
