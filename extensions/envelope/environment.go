package envelope

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

// FromEnv takes the keys from an environment variable: 32 random bytes in
// base64 or hex, as "openssl rand -base64 32" prints them, or several of those
// with commas in between, the first of which writes. The value is never printed,
// and a key's ID comes from a hash of it.
//
// The variable stays in the environment, so processes that the program starts
// inherit it, and whoever may look into the process sees it: the same user and
// root. To take it away would not help, since the system keeps what the process
// was started with.
func FromEnv(name string) Keys { return &environment{name} }

type environment struct{ name string }

func (e *environment) Keys(context.Context) (Key, []Key, error) {
	value, ok := os.LookupEnv(e.name)
	if !ok || strings.TrimSpace(value) == "" {
		return Key{}, nil, e.fail(backend.ErrUnavailable, "the environment variable "+e.name+" isn't set", "set it to the key")
	}
	var keys []Key
	for text := range strings.SplitSeq(value, ",") {
		secret, ok := decodeSecret(strings.TrimSpace(text))
		if !ok {
			return Key{}, nil, e.fail(backend.ErrInvalid, "the environment variable "+e.name+" doesn't hold 32 bytes in base64 or hex",
				"make a key with: openssl rand -base64 32")
		}
		keys = append(keys, Key{fingerprint(secret), secret})
	}
	return keys[0], keys[1:], nil
}

func (e *environment) fail(kind error, why, hint string) error {
	return &backend.Error{Op: "read the key", Kind: kind, Err: errors.New(why), Hint: hint}
}

func (e *environment) Source() string { return "the environment variable " + e.name }

// decodeSecret reads what people's tools print. A secret in hex is longer than
// any base64 of 32 bytes, so the two can't be confused.
func decodeSecret(text string) (secret Secret, ok bool) {
	decode := base64.RawStdEncoding.DecodeString
	switch {
	case len(text) == hex.EncodedLen(len(secret)):
		decode = hex.DecodeString
	case strings.ContainsAny(text, "-_"):
		decode = base64.RawURLEncoding.DecodeString
	}
	data, err := decode(strings.TrimRight(text, "="))
	defer clear(data)
	if err != nil || len(data) != len(secret) {
		return Secret{}, false
	}
	copy(secret[:], data)
	return secret, true
}

// fingerprint is an ID for a secret that came without one. That it shows a hash
// is no harm: nobody guesses 256 random bits.
func fingerprint(secret Secret) string {
	sum := sha256.Sum256(append([]byte("msalext envelope key id\x00"), secret[:]...))
	return "fp-" + hex.EncodeToString(sum[:8])
}
