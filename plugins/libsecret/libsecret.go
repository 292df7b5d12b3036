// Package libsecret is the backend that keeps each item in the desktop's
// Secret Service: GNOME Keyring, KWallet, KeePassXC and others that speak
// org.freedesktop.Secret (specification 0.2 at freedesktop.org). It needs
// neither cgo nor the C library that it is named after.
//
// Secrets cross the bus encrypted (dh-ietf1024-sha256-aes128-cbc-pkcs7); a
// service that offers only the plain algorithm is refused. At rest the keyring
// encrypts them, with its own password: a keyring without a password protects
// nothing, and the service doesn't tell. Any program of the same user can ask
// for the items while the keyring is open.
//
// # Settings
//
//   - schema: the name that libsecret stores as attribute xdg:schema. Default:
//     the SHA-256 of the location as written, in hex, as MSAL Extensions for
//     Python name it.
//   - attribute.NAME: an attribute that the item is stored and found by. Any
//     number, also none.
//   - match-schema: "true" (default): only items with that xdg:schema count,
//     as for Python, Node and Go. "false": others with the same attributes count
//     too, as for .NET, which needs at least one attribute.
//   - label: what people see in their keyring program. Default "MSAL token
//     cache". It isn't used to find the item.
//   - collection: an alias such as "default" (the default) or "session" (gone
//     at logout), or the last part of a collection's path.
//   - encoding: "raw" (default) as Python and Node write, or "base64" as .NET
//     and Go do. Both are understood when reading.
//   - activate: "true" lets the bus start the service when it isn't running;
//     by default nothing is ever started.
//
// The host touches the signal file that backend.PathFor names after each
// write. Items under further keys carry attributes of their own, so that no
// search for the main item finds them.
//
// # KeePassXC
//
// KeePassXC removes an entry only after it has asked a person, as its settings
// come. So Delete empties the entry and gives it the label "MSAL token cache
// (deleted)"; the next Save uses it again. Earlier contents stay in the entry's
// history, encrypted like the rest. A text with what KeePassXC would take for a
// placeholder, such as {TITLE}, is stored as "base64:" and base64.
package libsecret

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

const name = "libsecret"

// platforms have session buses.
var platforms = []string{"linux", "freebsd", "netbsd", "openbsd", "dragonfly"}

// Backend returns the backend "libsecret". It is safe for concurrent use. All
// of its stores in a process share one connection to the session bus, which
// closes with the last of them.
func Backend() backend.Backend { return libsecretBackend{sessionBus, usual} }

type libsecretBackend struct {
	bus    *shared
	limits limits
}

// limits are what tests set otherwise.
type limits struct {
	bytes  int           // of an item
	answer time.Duration // how long bus and service may take for a call of the store
	prompt time.Duration // how long a person may take
}

var usual = limits{bytes: maxBytes, answer: patience, prompt: promptPatience}

func (libsecretBackend) Describe() backend.Description {
	return backend.Description{
		Name: name, Version: "1", Platforms: platforms,
		Settings: []backend.Setting{
			{Name: "schema", Doc: "stored as xdg:schema; default: SHA-256 of the location as written, in hex"},
			{Name: "attribute.*", Doc: "attribute that the item is stored and found by"},
			{Name: "match-schema", Doc: "true or false: whether xdg:schema must be equal; default true"},
			{Name: "label", Doc: "shown to people; default \"MSAL token cache\""},
			{Name: "collection", Doc: "alias or name of the keyring; default \"default\""},
			{Name: "encoding", Doc: "raw or base64; default raw; both are read"},
			{Name: "activate", Doc: "true or false: let the bus start the service; default false"},
		},
	}
}

// Open connects to the session bus and agrees on a key with the Secret
// Service. It works on a locked keyring, whose items then answer ErrLocked.
// ErrUnavailable: there is no bus, or no service runs on it. ErrUnsupported:
// this system has none, or the service can't encrypt what crosses the bus.
// ErrTimeout: bus or service are there and silent. ErrDenied: the bus doesn't
// let this user in. ErrEncrypt: the service agreed on no key. ErrInvalid: a
// setting is wrong.
func (b libsecretBackend) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if !slices.Contains(platforms, runtime.GOOS) {
		return nil, fail("open", &backend.Error{
			Kind: backend.ErrUnsupported, Err: fmt.Errorf("%s has no Secret Service", runtime.GOOS),
			Hint: "use the store of this system: dpapi on Windows, keychain on macOS",
		})
	}
	at, err := b.place(c)
	if err != nil {
		return nil, fail("open", err)
	}
	b.bus.hold()
	s := &store{bus: b.bus, place: at, limits: b.limits, write: make(chan struct{}, 1)}
	if err := s.do(ctx, func(context.Context, *service) error { return nil }); err != nil {
		_ = s.Close()
		return nil, fail("open", err)
	}
	return s, nil
}

func fail(op string, err error) error {
	return backend.Wrap(op, name, backend.ErrUnavailable, err)
}

// invalid says which setting is wrong and what would be right.
func invalid(setting, value, right string) error {
	return &backend.Error{
		Kind: backend.ErrInvalid, Err: fmt.Errorf("setting %s is %q", setting, strings.ToValidUTF8(value, "?")),
		Hint: "set it to " + right,
	}
}
