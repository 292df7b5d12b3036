package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// What is stored, see the package's documentation:
//
//	magic[8] version[1] algorithm[1] n[1] id[n] salt[32] | nonce[12] ciphertext tag[16]
//
// The part before the bar is the header.
const (
	magic         = "\x89MSALENV" // not ASCII, so that no text and no JSON begins like that
	formatVersion = 1
	algorithm     = 1 // AES-256-GCM with a key per message, from HKDF-SHA256
	saltSize      = 32
	nonceAndTag   = 12 + 16

	// maxID bounds the only part of variable length, so that what an envelope
	// adds is known before the key is.
	maxID    = 128
	overhead = len(magic) + 3 + maxID + saltSize + nonceAndTag
)

// purpose keeps keys of messages apart from anything else that may be derived
// from the same secret.
const purpose = "msalext envelope 1 AES-256-GCM"

// place is what an envelope belongs to. Its path is no part of it: a home that
// was moved must still open.
type place struct{ store, key string }

// header is the beginning of what is stored.
type header struct {
	id   string
	salt []byte
	raw  []byte // all of it
}

func newHeader(id string, room int) header {
	raw := make([]byte, 0, len(magic)+3+len(id)+saltSize+room)
	raw = append(raw, magic...)
	raw = append(raw, formatVersion, algorithm, byte(len(id)))
	raw = append(raw, id...)
	var salt [saltSize]byte
	_, _ = rand.Read(salt[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	raw = append(raw, salt[:]...)
	return header{id, salt[:], raw}
}

// Sealed tells whether data is what an envelope stores, whole or not, as far as
// its first bytes tell.
func Sealed(data []byte) bool {
	n := min(len(data), len(magic))
	return n > 0 && string(data[:n]) == magic[:n]
}

// parse divides what is stored into header and body. Its errors say what is
// wrong, with kind and hint.
func parse(stored []byte) (h header, body []byte, err error) {
	rest, whole := bytes.CutPrefix(stored, []byte(magic))
	switch {
	case len(stored) > 0 && !Sealed(stored):
		return h, nil, unencrypted()
	case !whole:
		return h, nil, damaged("it is cut short")
	case len(rest) == 0 || rest[0] == 0:
		return h, nil, damaged("its header is broken")
	case rest[0] > formatVersion, len(rest) > 1 && rest[1] != algorithm:
		return h, nil, newer()
	case len(rest) < 3:
		return h, nil, damaged("it is cut short")
	}
	n := int(rest[2])
	size := len(magic) + 3 + n + saltSize
	if len(stored) <= size+nonceAndTag { // nothing is never stored
		return h, nil, damaged("it is cut short")
	}
	h = header{string(rest[3 : 3+n]), stored[size-saltSize : size], stored[:size]}
	if !validID(h.id) {
		return h, nil, damaged("its header is broken")
	}
	return h, stored[size:], nil
}

// seal encrypts an item.
func seal(k Key, at place, data []byte) ([]byte, error) {
	h := newHeader(k.ID, len(data)+nonceAndTag)
	aead, err := h.cipher(k.Secret)
	if err != nil {
		return nil, err
	}
	return aead.Seal(h.raw, nil, data, at.bind(h)), nil
}

// open decrypts an item.
func (h header) open(secret Secret, at place, body []byte) ([]byte, error) {
	aead, err := h.cipher(secret)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nil, body, at.bind(h))
}

// cipher is that of one message. A key of its own, besides a random nonce, is
// why a key may encrypt any number of messages: with 96 random bits alone no
// more than 2^32 are safe (NIST SP 800-38D, 8.3).
func (h header) cipher(secret Secret) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret[:], h.salt, purpose, 32)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bind is the data that is authenticated besides the ciphertext. Lengths come
// first, so that no two places give the same bytes.
func (p place) bind(h header) []byte {
	var data []byte
	for _, part := range []string{string(h.raw), p.store, p.key} {
		data = binary.BigEndian.AppendUint64(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}
