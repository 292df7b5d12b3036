// Package dpapi is the backend for Windows: each item is a file whose content
// the Data Protection API encrypts (CryptProtectData).
//
// The file holds the API's blob and nothing else, as the MSAL Extensions for
// Python, .NET, Node and Go write it, so they read and write the same file.
// Writes are those of package atomicfile: old or new after a crash, and never
// an empty file, which Python and Go can't decrypt. Names of items are not
// encrypted: they stand in the files' names.
//
// # Settings
//
//   - scope: "user" (default) or "machine". Windows encrypts for the user who
//     runs the program, or for every account of the machine. It matters when
//     writing; reading finds out by itself.
//   - entropy (secret): bytes that are needed for decryption too, as Python's
//     and Node's entropy. Default: none, as for .NET and Go.
//
// What can't be decrypted (ErrDecrypt) stays: another user's profile, a reset
// password or another entropy may be the reason, and none of them is final.
package dpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

const name = "dpapi"

// Backend returns the backend "dpapi". It is safe for concurrent use.
func Backend() backend.Backend { return dpapiBackend{} }

type dpapiBackend struct{}

func (dpapiBackend) Describe() backend.Description {
	return backend.Description{
		Name: name, Version: "1", Platforms: []string{"windows"},
		Settings: []backend.Setting{
			{Name: "scope", Doc: "user or machine: who can decrypt; default user"},
			{Name: "entropy", Secret: true, Doc: "further bytes needed to decrypt; default none"},
		},
	}
}

// Open creates the directory of c.Path, for the user alone, where it is
// missing. ErrUnsupported: this isn't Windows. ErrInvalid: a setting or the
// location is wrong. ErrDenied: the file or directory belongs to somebody else
// or can be written by others.
func (b dpapiBackend) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fail("open", err)
	}
	if protect == nil {
		return nil, fail("open", &backend.Error{
			Kind: backend.ErrUnsupported, Err: fmt.Errorf("%s has no DPAPI", runtime.GOOS),
			Hint: "use the store of this system: keychain on macOS, libsecret on Linux",
		})
	}
	s, err := b.store(c)
	if err != nil {
		return nil, fail("open", err)
	}
	tightened, err := atomicfile.Prepare(c.Path)
	if err != nil {
		return nil, fail("open", err)
	}
	s.warn(tightened)
	return s, nil
}

func (b dpapiBackend) store(c backend.Config) (*store, error) {
	all := backend.Settings{}
	for setting, value := range c.Settings {
		all[setting] = value
	}
	for setting := range c.Secrets {
		all[setting] = ""
	}
	settings, _, err := b.Describe().Split(all)
	if err != nil {
		return nil, err
	}
	s := &store{path: c.Path, entropy: c.Secrets["entropy"]}
	switch scope := settings["scope"]; scope {
	case "", "user":
	case "machine":
		s.machine = true
	default:
		return nil, &backend.Error{Kind: backend.ErrInvalid, Err: fmt.Errorf("setting scope is %q", scope), Hint: "set it to user or machine"}
	}
	if c.Path != "" && !filepath.IsAbs(c.Path) { // an empty one has a better error later
		return nil, &backend.Error{
			Kind: backend.ErrInvalid, Err: errors.New("the path " + c.Path + " is relative"),
			Hint: "make it absolute: the working directory may change",
		}
	}
	return s, nil
}

// warn tells once: whoever runs the program should know, and nobody reads it a
// hundred times.
func (s *store) warn(tightened bool) {
	if tightened {
		s.warned.Do(func() {
			slog.Warn("msalext: other users could read the encrypted token cache until now; it is private again", slog.String("path", s.path))
		})
	}
}

func fail(op string, err error) error {
	return backend.Wrap(op, name, backend.ErrUnavailable, err)
}
