package libsecret

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// Names of the specifications.
const (
	busInterface = "org.freedesktop.DBus"

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
	bus *bus
	// owner is the program that the key was agreed on with, by the name that
	// the bus gives to one connection only. Calls go to it and to no other that
	// takes its place.
	owner   string
	session session
}

func openService(ctx context.Context, b *bus, activate bool) (*service, error) {
	s := &service{bus: b}
	if err := s.running(ctx, activate); err != nil {
		return nil, err
	}
	if err := b.daemon(ctx, "GetNameOwner", busName).Store(&s.owner); err != nil {
		return nil, err
	}
	ours, err := newExchange()
	if err != nil {
		return nil, err
	}
	var theirs dbus.Variant
	call := s.call(ctx, servicePath, serviceInterface+"OpenSession", algorithm, dbus.MakeVariant(ours.public.Bytes()))
	if err := take(call, "vo", &theirs, &s.session.path); err != nil {
		return nil, disagreed(err)
	}
	public, _ := theirs.Value().([]byte)
	s.session.key, err = ours.key(public)
	return s, err
}

// running makes sure that somebody answers before the service is called: a
// call to a name that the bus can activate would start it.
func (s *service) running(ctx context.Context, activate bool) error {
	var owned bool
	if err := s.bus.daemon(ctx, "NameHasOwner", busName).Store(&owned); err != nil || owned {
		return err
	}
	var names []string
	if err := s.bus.daemon(ctx, "ListActivatableNames").Store(&names); err != nil {
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
	return s.bus.daemon(ctx, "StartServiceByName", busName, uint32(0)).Err
}

func (s *service) call(ctx context.Context, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	return s.bus.request(ctx, s.owner, path, method, args...)
}

// collection finds a collection by alias, or else by its name.
func (s *service) collection(ctx context.Context, wanted string) (dbus.ObjectPath, error) {
	path := none
	alias := s.call(ctx, servicePath, serviceInterface+"ReadAlias", wanted)
	if err := take(alias, "o", &path); err != nil || path != none {
		return path, err
	}
	named := dbus.ObjectPath(collectionsPath + wanted)
	all, err := s.property(ctx, servicePath, serviceInterface, "Collections")
	if err != nil {
		return none, err
	}
	if paths, _ := all.([]dbus.ObjectPath); slices.Contains(paths, named) {
		return named, nil
	}
	return none, errNoCollection(wanted)
}

var errNoKeyring = errors.New("there is no such keyring")

func errNoCollection(wanted string) error {
	e := &backend.Error{Kind: backend.ErrUnavailable, Err: fmt.Errorf("%w: %s", errNoKeyring, wanted)}
	if wanted == "default" {
		e.Hint = "create a default keyring: in the desktop's keyring program, or by calling Unlock, which asks for a password"
	} else {
		e.Hint = "create it in the desktop's keyring program, or correct the setting collection"
	}
	return e
}

// locked tells whether a collection is.
func (s *service) locked(ctx context.Context, collection dbus.ObjectPath) (bool, error) {
	value, err := s.property(ctx, collection, collectionInterface, "Locked")
	locked, _ := value.(bool)
	return locked, err
}

func (s *service) property(ctx context.Context, path dbus.ObjectPath, of, name string) (any, error) {
	var value dbus.Variant
	err := take(s.call(ctx, path, properties+"Get", strings.TrimSuffix(of, "."), name), "v", &value)
	return value.Value(), err
}

// take reads an answer that has to have this signature: godbus by itself makes
// text of a number.
func take(call *dbus.Call, signature string, into ...any) error {
	if call.Err != nil {
		return call.Err
	}
	if dbus.SignatureOf(call.Body...).String() != signature {
		return errNonsense
	}
	return call.Store(into...)
}
