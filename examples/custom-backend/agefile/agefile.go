// Package agefile is a backend of a kind that msalext doesn't ship: files that
// are encrypted with age (https://age-encryption.org) to the holder of an
// identity, and to further recipients such as a recovery key.
//
// A file is what the command age writes, and "age --decrypt" reads it. The
// identity can lie where the cache's own disk, and its backups, don't reach: on
// a removable medium, or in a file system that is mounted at sign-in.
//
// # Settings
//
//   - identity-file: the absolute path of a file that age-keygen wrote. Nobody
//     but its owner may write it.
//   - identity (secret): the same as text, "AGE-SECRET-KEY-1…", in place of a
//     file.
//   - recipients: who else can decrypt, "age1…", separated by spaces. Default:
//     nobody.
package agefile

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

const name = "age"

// Backend returns the backend "age". It is safe for concurrent use.
func Backend() backend.Backend { return ageBackend{} }

type ageBackend struct{}

func (ageBackend) Describe() backend.Description {
	return backend.Description{
		Name: name, Version: "1",
		Settings: []backend.Setting{
			{Name: "identity-file", Doc: "absolute path of the file, by age-keygen, that decrypts"},
			{Name: "identity", Secret: true, Doc: "the same as text, in place of a file: AGE-SECRET-KEY-1…"},
			{Name: "recipients", Doc: "who else can decrypt, age1…, separated by spaces; default nobody"},
		},
	}
}

// Open creates the directory of c.Path, for the user alone, where it is
// missing. ErrInvalid: there is no identity, a setting can't be understood, or
// the location isn't absolute. ErrDenied: the file, its directory or the
// identity's file belongs to somebody else or can be written by others.
func (ageBackend) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fail("open", err)
	}
	if !filepath.IsAbs(c.Path) {
		return nil, invalid("make the location absolute: the working directory may change", fmt.Errorf("the path %q is relative", c.Path))
	}
	s, err := newStore(c)
	if err != nil {
		return nil, fail("open", err)
	}
	if _, err := atomicfile.Prepare(c.Path); err != nil {
		return nil, fail("open", err)
	}
	return s, nil
}

func newStore(c backend.Config) (*store, error) {
	text, err := identityText(c)
	if err != nil {
		return nil, err
	}
	s := &store{path: c.Path}
	// age's own error could show a part of what it couldn't read.
	if s.identities, err = age.ParseIdentities(strings.NewReader(text)); err != nil {
		return nil, invalid("set it to what age-keygen wrote", errors.New("the identity can't be understood"))
	}
	for _, identity := range s.identities {
		switch own := identity.(type) {
		case *age.X25519Identity:
			s.recipients = append(s.recipients, own.Recipient())
		case *age.HybridIdentity:
			s.recipients = append(s.recipients, own.Recipient())
		}
	}
	if len(s.recipients) == 0 {
		return nil, invalid("use an identity of age's own kinds, AGE-SECRET-KEY-…", errors.New("the identity has no recipient"))
	}
	if others := c.Settings["recipients"]; others != "" {
		list, err := age.ParseRecipients(strings.NewReader(strings.Join(strings.Fields(others), "\n")))
		if err != nil {
			return nil, invalid("correct the setting recipients", err)
		}
		s.recipients = append(s.recipients, list...)
	}
	return s, nil
}

// identityText is the identity, from the one of two settings that is there.
func identityText(c backend.Config) (string, error) {
	file, text := c.Settings["identity-file"], string(c.Secrets["identity"])
	switch {
	case (file == "") == (text == ""):
		return "", invalid("set identity-file, or identity", errors.New("exactly one identity is needed"))
	case text != "":
		return text, nil
	case !filepath.IsAbs(file):
		return "", invalid("make it absolute", fmt.Errorf("the setting identity-file, %q, is a relative path", file))
	}
	// Who can put another file there would decide who reads the tokens.
	blob, err := atomicfile.Read(file)
	if errors.Is(err, backend.ErrNotFound) {
		// Not ErrUnavailable: a key that is missing for a moment must not make the
		// application take a store without encryption.
		return "", invalid("make one with: age-keygen -o "+file, fmt.Errorf("there is no identity in %s", file))
	}
	return string(blob.Data), err
}

func invalid(hint string, err error) error {
	return &backend.Error{Op: "open", Backend: name, Kind: backend.ErrInvalid, Err: err, Hint: hint}
}

func fail(op string, err error) error {
	return backend.Wrap(op, name, backend.ErrUnavailable, err)
}
