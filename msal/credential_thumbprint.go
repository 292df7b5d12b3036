package msal

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
	"unicode"
)

// thumbprint is the hash of a certificate in DER: SHA-1 or SHA-256, told by its
// length. Nil is none.
type thumbprint []byte

// parseThumbprint reads what people copy from Entra ID, OpenSSL (with colons)
// and Windows, whose dialog puts a left-to-right mark first.
func parseThumbprint(text string) (thumbprint, error) {
	text = strings.Map(func(r rune) rune {
		if r == ':' || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return nil, nil
	}
	hash, err := hex.DecodeString(text)
	if err != nil || len(hash) != sha1.Size && len(hash) != sha256.Size {
		return nil, &CredentialError{Kind: ErrThumbprint, Err: errors.New("it isn't 40 or 64 hexadecimal digits"),
			Hint: "copy the thumbprint that Entra ID shows for the certificate"}
	}
	return hash, nil
}

func (t thumbprint) isSHA1() bool { return len(t) == sha1.Size }

func (t thumbprint) matches(cert *x509.Certificate) bool {
	if t.isSHA1() {
		hash := sha1.Sum(cert.Raw)
		return bytes.Equal(t, hash[:])
	}
	hash := sha256.Sum256(cert.Raw)
	return bytes.Equal(t, hash[:])
}

// sha1Thumbprint is the thumbprint as Entra ID shows it.
func sha1Thumbprint(cert *x509.Certificate) string {
	hash := sha1.Sum(cert.Raw)
	return strings.ToUpper(hex.EncodeToString(hash[:]))
}
