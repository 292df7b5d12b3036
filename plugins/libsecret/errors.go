package libsecret

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"syscall"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// Error names of the specifications of the Secret Service and of D-Bus.
const (
	isLocked     = "org.freedesktop.Secret.Error.IsLocked"
	noSession    = "org.freedesktop.Secret.Error.NoSession"
	noSuchObject = "org.freedesktop.Secret.Error.NoSuchObject"

	unknownObject  = "org.freedesktop.DBus.Error.UnknownObject"
	unknownMethod  = "org.freedesktop.DBus.Error.UnknownMethod" // gnome-keyring's word for an object that is gone
	notSupported   = "org.freedesktop.DBus.Error.NotSupported"
	accessDenied   = "org.freedesktop.DBus.Error.AccessDenied"
	limitsExceeded = "org.freedesktop.DBus.Error.LimitsExceeded"
	noReply        = "org.freedesktop.DBus.Error.NoReply"
	timedOut       = "org.freedesktop.DBus.Error.TimedOut"
	nameHasNoOwner = "org.freedesktop.DBus.Error.NameHasNoOwner"
	serviceUnknown = "org.freedesktop.DBus.Error.ServiceUnknown"
)

// answers are the errors that have a meaning of their own.
var answers = map[string]*backend.Error{
	isLocked: errLocked,
	noReply:  errSilent,
	timedOut: errSilent,
	notSupported: {
		Kind: backend.ErrUnsupported, Err: errors.New("the Secret Service can't encrypt what crosses the bus"),
		Hint: "use a Secret Service that offers " + algorithm,
	},
	accessDenied: {
		Kind: backend.ErrDenied, Err: errors.New("the session bus forbids it"),
		Hint: "let the program use the keyring: a sandbox or the bus's policy keeps it out",
	},
	limitsExceeded: {
		Kind: backend.ErrDenied, Err: errors.New("a limit of the session bus is reached"),
		Hint: "end programs that use the bus, then try again",
	},
	nameHasNoOwner: errGone,
	serviceUnknown: errGone,
}

var (
	errSilent = &backend.Error{
		Kind: backend.ErrTimeout, Err: errors.New("the Secret Service doesn't answer"),
		Hint: "a prompt may be waiting for the keyring's password; else restart the keyring service",
	}
	errGone = &backend.Error{
		Kind: backend.ErrUnavailable, Err: errors.New("the Secret Service has ended"),
		Hint: "start the keyring service, then try again",
	}
	errHungUp = &backend.Error{
		Kind: backend.ErrUnavailable, Err: errors.New("the connection to the session bus ended"),
		Hint: "try again; if it stays, sign in to the desktop again",
	}
	errNonsense = &backend.Error{
		Kind: backend.ErrUnavailable, Err: errors.New("the Secret Service's answer isn't one that its specification allows"),
		Hint: "restart or update the keyring service",
	}
)

// explain turns what bus and service answer into kinds. Their own texts are
// left out: they are written by whoever runs the service.
func explain(ctx context.Context, err error) error {
	var e dbus.Error
	switch {
	case err == nil || backend.KindOf(err) != nil:
		return err
	case ctx.Err() != nil: // the caller's
		return ctx.Err()
	case late(err):
		return errSilent
	case hungUp(err):
		return errHungUp
	case !errors.As(err, &e):
		return errNonsense
	case answers[e.Name] != nil:
		return answers[e.Name]
	default:
		return &backend.Error{Kind: backend.ErrUnavailable, Err: answered(e), Hint: "see that the keyring service runs, then try again"}
	}
}

// disagreed is why a service that is there opened no encrypted session. Where
// it gave no reason of its own the kind isn't ErrUnavailable: whoever stepped
// down because of a moment's trouble would leave the keyring for good.
func disagreed(err error) error {
	var e dbus.Error
	switch isError := errors.As(err, &e); {
	case isError && answers[e.Name] == nil:
		return unencrypted(answered(e))
	case errors.Is(err, errNonsense):
		return unencrypted(errNonsense.Err)
	default:
		return err
	}
}

func unencrypted(cause error) error {
	return &backend.Error{
		Kind: backend.ErrEncrypt, Err: cause,
		Hint: "restart or update the keyring service: it has to agree on a key for what crosses the bus",
	}
}

func answered(e dbus.Error) error {
	return errors.New("the Secret Service answered " + printable(e.Name))
}

func late(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// hungUp tells whether the connection ended, by either side.
func hungUp(err error) bool {
	return slices.ContainsFunc(
		[]error{dbus.ErrClosed, net.ErrClosed, io.EOF, io.ErrUnexpectedEOF, syscall.EPIPE, syscall.ECONNRESET},
		func(end error) bool { return errors.Is(err, end) })
}

// gone tells whether the object of a call doesn't exist.
func gone(err error) bool { return named(err, noSuchObject, unknownObject, unknownMethod) }

// stale tells whether a call was refused, with nothing done, because the
// service has ended or knows our session no more.
func stale(err error) bool { return named(err, noSession, nameHasNoOwner, serviceUnknown) }

func named(err error, names ...string) bool {
	var e dbus.Error
	return errors.As(err, &e) && slices.Contains(names, e.Name)
}

// printable keeps a D-Bus name to what such names may consist of.
func printable(name string) string {
	clean := []byte(name[:min(len(name), 255)])
	for i, c := range clean {
		if c != '.' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			clean[i] = '?'
		}
	}
	return string(clean)
}
