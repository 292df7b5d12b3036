// Package keychain is the backend for macOS: each item is a generic password
// in the login keychain, as the MSAL Extensions for Python, .NET, Node and Go
// keep theirs. It has not been run on macOS yet: all but the calls to Security
// is tested elsewhere, with a fake that behaves as Apple documents them.
//
// It is the only backend that needs cgo. A build for macOS without cgo has it
// too, and Open answers ErrUnsupported.
//
// macOS remembers which program created an item, and asks before another one
// reads it. As a plugin of its own, that program is the plugin, which every
// application may start; so on macOS the program that starts itself again
// (plugin.ServeIfInvoked) is the better form.
//
// # Settings
//
//   - service: default "msal-extensions", as for Python.
//   - account: default the SHA-256 of the location as written, in hex, as for
//     Python. It is never empty: macOS would take that for "any".
//   - label: what people see in Keychain Access. Default: the service.
//   - accessibility: when the item can be read; one of
//     when-unlocked, after-first-unlock, when-passcode-set-this-device,
//     when-unlocked-this-device, after-first-unlock-this-device. Default:
//     macOS's own. The login keychain ignores it; the data protection keychain,
//     which an access group leads to, doesn't.
//   - access-group: shares items among programs of one developer. The program
//     must be signed with the entitlement keychain-access-groups, and MSAL
//     Extensions don't see such items.
//
// The host touches the signal file that backend.PathFor names after each
// write. Load, Save and Delete never show a dialog: where macOS would, they
// answer ErrLocked, and Unlock may ask.
package keychain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

const name = "keychain"

// Backend returns the backend "keychain". It is safe for concurrent use.
func Backend() backend.Backend { return keychainBackend{calls} }

type keychainBackend struct{ calls security }

func (keychainBackend) Describe() backend.Description {
	return backend.Description{
		Name: name, Version: "1", Platforms: []string{"darwin"},
		Settings: []backend.Setting{
			{Name: "service", Doc: "the item's service; default msal-extensions"},
			{Name: "account", Doc: "the item's account; default: SHA-256 of the location as written, in hex"},
			{Name: "label", Doc: "shown to people; default: the service"},
			{Name: "accessibility", Doc: "one of " + strings.Join(accessibilities, ", ") + "; default: the system's"},
			{Name: "access-group", Doc: "shares items among programs of one developer; needs an entitlement"},
		},
	}
}

var accessibilities = []string{
	"when-unlocked", "after-first-unlock",
	"when-passcode-set-this-device", "when-unlocked-this-device", "after-first-unlock-this-device",
}

// Open does no more than check the settings: a locked keychain shows in the
// first call. ErrUnsupported: this isn't macOS, or the program was built
// without cgo. ErrInvalid: a setting is wrong.
func (b keychainBackend) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fail("open", err)
	}
	if b.calls == nil {
		return nil, fail("open", unsupported(runtime.GOOS))
	}
	main, err := b.item(c)
	if err != nil {
		return nil, fail("open", err)
	}
	return &store{calls: b.calls, main: main, turn: make(chan struct{}, 1)}, nil
}

func unsupported(system string) error {
	e := &backend.Error{
		Kind: backend.ErrUnsupported, Err: fmt.Errorf("%s has no keychain", system),
		Hint: "use the store of this system: dpapi on Windows, libsecret on Linux",
	}
	if system == "darwin" {
		e.Err = errors.New("built without cgo")
		e.Hint = "build the program or plugin that serves the keychain with CGO_ENABLED=1, on macOS"
	}
	return e
}

func (b keychainBackend) item(c backend.Config) (item, error) {
	all := backend.Settings{}
	maps.Copy(all, c.Settings)
	for setting := range c.Secrets { // none is secret: they are unknown names
		all[setting] = ""
	}
	settings, _, err := b.Describe().Split(all)
	if err != nil {
		return item{}, err
	}
	sum := sha256.Sum256([]byte(c.Location))
	service := either(settings["service"], "msal-extensions")
	main := item{
		service: service, account: either(settings["account"], hex.EncodeToString(sum[:])),
		label: either(settings["label"], service), accessGroup: settings["access-group"], accessibility: settings["accessibility"],
	}
	return main, main.check()
}

func (i item) check() error {
	if i.accessibility != "" && !slices.Contains(accessibilities, i.accessibility) {
		return &backend.Error{
			Kind: backend.ErrInvalid, Err: fmt.Errorf("setting accessibility is %q", i.accessibility),
			Hint: "set it to one of " + strings.Join(accessibilities, ", "),
		}
	}
	for _, text := range []string{i.service, i.account, i.label, i.accessGroup} {
		if strings.ToValidUTF8(text, "") != text || strings.ContainsRune(text, 0) {
			return &backend.Error{
				Kind: backend.ErrInvalid, Err: errors.New("a setting holds bytes that aren't text"),
				Hint: "set service, account, label and access-group to valid UTF-8 without NUL",
			}
		}
	}
	return nil
}

func either(value, standard string) string {
	if value == "" {
		return standard
	}
	return value
}

func fail(op string, err error) error {
	return backend.Wrap(op, name, backend.ErrUnavailable, err)
}
