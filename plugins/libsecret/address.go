package libsecret

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// busAddress is where the D-Bus specification and systemd put the session bus.
func busAddress() string {
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		return address
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(dir) { // the specification says to ignore others
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
	if addresses == "" {
		return nil, noBus(errors.New("no session bus: DBUS_SESSION_BUS_ADDRESS isn't set"))
	}
	err := errors.New("no address of this machine in DBUS_SESSION_BUS_ADDRESS")
	for address := range strings.SplitSeq(addresses, ";") {
		name, ok := socketName(address)
		if !ok {
			continue
		}
		var conn net.Conn
		if conn, err = connectTo(ctx, name); err == nil {
			return conn, nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded): // the dialler's clock can be ahead of the context's
		return nil, context.DeadlineExceeded
	case errors.Is(err, fs.ErrPermission):
		return nil, refused(err)
	default:
		return nil, noBus(err)
	}
}

// connectTo waits while the queue of a bus that accepts nobody is full: that
// bus is there, and silent.
func connectTo(ctx context.Context, socket string) (net.Conn, error) {
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if !errors.Is(err, syscall.EAGAIN) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
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

func noBus(err error) error {
	return &backend.Error{
		Kind: backend.ErrUnavailable, Err: err,
		Hint: "run the program in a desktop session, or inside dbus-run-session with a keyring service",
	}
}

// refused is for a bus that is there and doesn't let the program in. It isn't
// ErrUnavailable: whoever stepped down then would leave the keyring for good.
func refused(err error) error {
	return &backend.Error{
		Kind: backend.ErrDenied, Err: err,
		Hint: "run the program as the user whose session it is, or unset DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR if they are another user's",
	}
}
