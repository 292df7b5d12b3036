package libsecret

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// Names of the specification.
const (
	busName         = "org.freedesktop.secrets"
	servicePath     = dbus.ObjectPath("/org/freedesktop/secrets")
	collectionsPath = string(servicePath) + "/collection/"
	none            = dbus.ObjectPath("/") // "no object", as a reply

	serviceInterface    = "org.freedesktop.Secret.Service."
	collectionInterface = "org.freedesktop.Secret.Collection."
	itemInterface       = "org.freedesktop.Secret.Item."
	promptInterface     = "org.freedesktop.Secret.Prompt."
	properties          = "org.freedesktop.DBus.Properties."
)

// service is the Secret Service with a session of ours.
type service struct {
	conn    *dbus.Conn
	session session
}

func openService(ctx context.Context, conn *dbus.Conn, activate bool) (*service, error) {
	s := &service{conn: conn}
	if err := s.running(ctx, activate); err != nil {
		return nil, err
	}
	ours, err := newExchange()
	if err != nil {
		return nil, err
	}
	var theirs dbus.Variant
	err = s.call(ctx, servicePath, serviceInterface+"OpenSession", algorithm, dbus.MakeVariant(ours.public.Bytes())).
		Store(&theirs, &s.session.path)
	if err != nil {
		return nil, err
	}
	public, _ := theirs.Value().([]byte)
	s.session.key, err = ours.key(public)
	return s, err
}

// running makes sure that somebody answers before the service is called: a
// call to a name that the bus can activate would start it.
func (s *service) running(ctx context.Context, activate bool) error {
	var owned bool
	if err := s.bus(ctx, "NameHasOwner", busName).Store(&owned); err != nil || owned {
		return err
	}
	var names []string
	if err := s.bus(ctx, "ListActivatableNames").Store(&names); err != nil {
		return err
	}
	if !slices.Contains(names, busName) {
		return &backend.Error{
			Kind: backend.ErrUnavailable, Err: errors.New("no Secret Service is installed on this session bus"),
			Hint: "install a keyring service, such as gnome-keyring, and sign in to the desktop again",
		}
	}
	if !activate {
		return &backend.Error{
			Kind: backend.ErrUnavailable, Err: errors.New("the Secret Service isn't running"),
			Hint: "start it (gnome-keyring-daemon --start --components=secrets, or sign in to the desktop), or set activate to true",
		}
	}
	return s.bus(ctx, "StartServiceByName", busName, uint32(0)).Err
}

func (s *service) bus(ctx context.Context, method string, args ...any) *dbus.Call {
	return s.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus."+method, 0, args...)
}

func (s *service) call(ctx context.Context, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	return s.conn.Object(busName, path).CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...)
}

// collection finds a collection by alias, or else by its name.
func (s *service) collection(ctx context.Context, wanted string) (dbus.ObjectPath, error) {
	path := none
	if err := s.call(ctx, servicePath, serviceInterface+"ReadAlias", wanted).Store(&path); err != nil || path != none {
		return path, err
	}
	named := dbus.ObjectPath(collectionsPath + wanted)
	var all dbus.Variant
	err := s.call(ctx, servicePath, properties+"Get", strings.TrimSuffix(serviceInterface, "."), "Collections").Store(&all)
	if err != nil {
		return none, err
	}
	if paths, _ := all.Value().([]dbus.ObjectPath); slices.Contains(paths, named) {
		return named, nil
	}
	return none, errNoCollection(wanted)
}

func errNoCollection(wanted string) error {
	e := &backend.Error{Kind: backend.ErrUnavailable, Err: errors.New("there is no keyring " + wanted)}
	if wanted == "default" {
		e.Hint = "create a default keyring: in the desktop's keyring program, or by calling Unlock, which asks for a password"
	} else {
		e.Hint = "create it in the desktop's keyring program, or correct the setting collection"
	}
	return e
}

// locked reads the property that collections and items have.
func (s *service) locked(ctx context.Context, path dbus.ObjectPath, of string) (bool, error) {
	var v dbus.Variant
	if err := s.call(ctx, path, properties+"Get", strings.TrimSuffix(of, "."), "Locked").Store(&v); err != nil {
		return false, err
	}
	locked, _ := v.Value().(bool)
	return locked, nil
}
