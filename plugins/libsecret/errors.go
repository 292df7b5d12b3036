package libsecret

import (
	"context"
	"errors"
	"os"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// Error names of the specifications of the Secret Service and of D-Bus.
const (
	isLocked      = "org.freedesktop.Secret.Error.IsLocked"
	noSession     = "org.freedesktop.Secret.Error.NoSession"
	noSuchObject  = "org.freedesktop.Secret.Error.NoSuchObject"
	unknownObject = "org.freedesktop.DBus.Error.UnknownObject"
	unknownMethod = "org.freedesktop.DBus.Error.UnknownMethod" // gnome-keyring's word for an object that is gone
	unsupported   = "org.freedesktop.DBus.Error.NotSupported"
	accessDenied  = "org.freedesktop.DBus.Error.AccessDenied"
	noReply       = "org.freedesktop.DBus.Error.NoReply"
	limits        = "org.freedesktop.DBus.Error.LimitsExceeded"
)

// gone tells whether the object of a call doesn't exist.
func gone(err error) bool {
	var e dbus.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Name == noSuchObject || e.Name == unknownObject || e.Name == unknownMethod
}

// explain turns what bus and service answer into kinds. Their own texts are
// left out: they are written by whoever runs the service.
func explain(ctx context.Context, err error) error {
	var e dbus.Error
	switch {
	case err == nil || backend.KindOf(err) != nil:
		return err
	case ctx.Err() != nil: // the caller's
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return errSilent
	case errors.Is(err, dbus.ErrClosed):
		return &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("the connection to the session bus ended"), Hint: "try again"}
	case errors.As(err, &e):
		return explained(e.Name)
	default:
		return err
	}
}

var errSilent = &backend.Error{
	Kind: backend.ErrTimeout, Err: errors.New("the Secret Service doesn't answer"),
	Hint: "a prompt may be waiting for the keyring's password; else restart the keyring service",
}

func explained(name string) error {
	e := &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("the Secret Service answered " + printable(name))}
	switch name {
	case isLocked:
		return errLocked
	case noReply:
		return errSilent
	case unsupported:
		e.Kind, e.Hint = backend.ErrUnsupported, "use a Secret Service that offers "+algorithm
	case accessDenied:
		e.Kind, e.Hint = backend.ErrDenied, "let the program use the keyring: a sandbox or the bus's policy forbids it"
	case limits:
		e.Kind, e.Hint = backend.ErrTooLarge, "keep fewer accounts in one cache"
	default:
		e.Hint = "see that the keyring service runs, then try again"
	}
	return e
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
