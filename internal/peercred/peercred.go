// Package peercred tells who is at the other end of a Unix socket, and lets
// gRPC speak with that process only.
//
// Linux answers from SO_PEERCRED, macOS from LOCAL_PEERCRED and LOCAL_PEERPID,
// FreeBSD from LOCAL_PEERCRED. The kernel notes the facts when a process
// connects or listens, so nobody can forge them, and they stay true for the
// life of the connection even if the process changes its user later.
package peercred

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// ErrRefused is what every refused peer's error is, by errors.Is.
var ErrRefused = errors.New("the process at the other end of the socket isn't the expected one")

// A Peer is the process that made the other end of a connection: the one that
// connected, or the one that listens.
type Peer struct {
	UID int // effective user
	PID int // 0: the system doesn't tell, or it lies in another pid namespace
}

// Of returns the peer of a Unix socket connection, of either end. The error is
// errors.ErrUnsupported where [Supported] is false or c is no Unix socket. It
// is safe for concurrent use.
func Of(c net.Conn) (Peer, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return Peer{}, fmt.Errorf("peer of a %T: %w", c, errors.ErrUnsupported)
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return Peer{}, fmt.Errorf("peer of a unix socket: %w", err)
	}
	return ask(raw)
}

func ask(raw syscall.RawConn) (p Peer, err error) {
	if ctl := raw.Control(func(fd uintptr) { p, err = peerOf(int(fd)) }); ctl != nil {
		err = ctl
	}
	if err != nil {
		return Peer{}, fmt.Errorf("peer of a unix socket: %w", err)
	}
	return p, nil
}

// A Check says which peer is the right one: a process of this process's
// effective user, with the expected id where the system tells it.
type Check struct {
	// PID returns the process id to demand, and is asked at each connection,
	// since a host knows it only after the start. Nil, or 0: any process of
	// the user.
	PID func() int
	// Refused, when not nil, is told of each refused peer. gRPC turns the same
	// error into text; this is the way to recognise it.
	Refused func(error)
}

// Conn returns nil when the peer of c is the right one, and otherwise an error
// that is [ErrRefused] and tells what differs, or the error of [Of].
func (k Check) Conn(c net.Conn) error {
	p, err := Of(c)
	if err == nil {
		err = k.peer(p)
	}
	if err != nil && k.Refused != nil {
		k.Refused(err)
	}
	return err
}

func (k Check) peer(p Peer) error {
	if uid := os.Geteuid(); p.UID != uid {
		return fmt.Errorf("%w: it runs as user %d, not %d", ErrRefused, p.UID, uid)
	}
	if k.PID == nil || !TellsPID {
		return nil
	}
	if want := k.PID(); want != 0 && p.PID != want {
		return fmt.Errorf("%w: it is process %d, not %d", ErrRefused, p.PID, want)
	}
	return nil
}
