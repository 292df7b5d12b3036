package sqlite

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/adiantum"
	"github.com/ncruces/go-sqlite3/vfs/xts"

	"github.com/msalext/msalext/extensions/backend"
)

// cipher is a way to encrypt the database's files.
type cipher struct {
	name    string
	keySize int
	method  string // for people
	wrap    func(vfs.VFS) vfs.VFS
}

var ciphers = []*cipher{
	{"adiantum", 32, "Adiantum, by the setting key", func(v vfs.VFS) vfs.VFS { return adiantum.Wrap(v, nil) }},
	{"xts", 64, "AES-256-XTS, by the setting key", func(v vfs.VFS) vfs.VFS { return xts.Wrap(v, nil) }},
}

const hintKey = "set key to 64 hexadecimal digits, as \"openssl rand -hex 32\" prints; for a passphrase use an envelope"

// cipherFor returns the cipher that the settings choose, and its key in hex.
func cipherFor(choice string, secret backend.Secret, has bool) (*cipher, string, error) {
	if !has {
		if choice != "" {
			return nil, "", &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("setting cipher without key"), Hint: hintKey}
		}
		return nil, "", nil
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(secret)))
	if err != nil || len(key) != 32 { // the error would quote a digit of it
		return nil, "", &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("setting key isn't 64 hexadecimal digits"), Hint: hintKey}
	}
	for _, c := range ciphers {
		if choice == c.name || choice == "" {
			hexKey, err := c.derive(key)
			return c, hexKey, err
		}
	}
	return nil, "", &backend.Error{
		Kind: backend.ErrInvalid, Err: fmt.Errorf("setting cipher is %q", strings.ToValidUTF8(choice, "?")),
		Hint: "set it to adiantum or xts",
	}
}

// derive gives each cipher a key of its own and of the length it takes, so
// that one setting serves all.
func (c *cipher) derive(key []byte) (string, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, "msalext sqlite "+c.name, c.keySize)
	return hex.EncodeToString(derived), err
}
