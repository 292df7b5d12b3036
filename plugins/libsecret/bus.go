package libsecret

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// patience is how long bus and service may take for one call of the store. It
// is less than the 3 s that the host allows under the lock, so that the error
// says what was silent.
const patience = 2500 * time.Millisecond

// dial connects to the session bus that is there. It starts none, as
// godbus and libdbus do where no address is set.
func dial(ctx context.Context) (*dbus.Conn, error) {
	address := busAddress()
	if address == "" {
		return nil, noBus(errors.New("no session bus: DBUS_SESSION_BUS_ADDRESS isn't set"))
	}
	socket, err := connect(ctx, address)
	if err != nil {
		return nil, noBus(err)
	}
	conn, err := dbus.NewConn(link{socket})
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	// Neither greeting has a deadline of its own.
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	if err = conn.Auth(nil); err == nil {
		err = conn.Hello()
	}
	if err != nil {
		_ = conn.Close()
		return nil, errors.Join(ctx.Err(), err)
	}
	return conn, nil
}

func noBus(err error) error {
	return &backend.Error{
		Kind: backend.ErrUnavailable, Err: err,
		Hint: "run the program in a desktop session, or inside dbus-run-session with a keyring service",
	}
}

// busAddress is where the D-Bus specification and systemd put the session bus.
func busAddress() string {
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		return address
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = filepath.Join("/run/user", strconv.Itoa(os.Geteuid()))
	}
	socket := filepath.Join(dir, "bus")
	if fi, err := os.Stat(socket); err != nil || fi.Mode().Type() != os.ModeSocket {
		return ""
	}
	return "unix:path=" + dbus.EscapeBusAddressValue(socket)
}

// connect tries the addresses in order. Only sockets of this machine count:
// "unixexec:" and "autolaunch:" would start programs, and others cross a
// network unencrypted.
func connect(ctx context.Context, addresses string) (net.Conn, error) {
	err := errors.New("no address of this machine in DBUS_SESSION_BUS_ADDRESS")
	for address := range strings.SplitSeq(addresses, ";") {
		socket, ok := socketName(address)
		if !ok {
			continue
		}
		var conn net.Conn
		if conn, err = new(net.Dialer).DialContext(ctx, "unix", socket); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// socketName reads "unix:path=…" and "unix:abstract=…", whose values are
// percent-encoded.
func socketName(address string) (string, bool) {
	options, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return "", false
	}
	for option := range strings.SplitSeq(options, ",") {
		key, escaped, _ := strings.Cut(option, "=")
		value, err := url.PathUnescape(escaped)
		switch {
		case err != nil || value == "":
		case key == "path":
			return value, true
		case key == "abstract":
			return "@" + value, true
		}
	}
	return "", false
}

// link is a connection whose writes end: godbus waits for them, and closing
// waits for that, while a stopped bus takes nothing.
type link struct{ net.Conn }

func (l link) Write(p []byte) (int, error) {
	if err := l.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	n, err := l.Conn.Write(p)
	if err != nil {
		_ = l.Close() // half a message may be out: nothing can follow it
		err = fmt.Errorf("the session bus takes no messages: %w", err)
	}
	return n, err
}
