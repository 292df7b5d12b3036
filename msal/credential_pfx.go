package msal

import (
	"crypto/x509"
	"errors"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// credentialPFX takes a PKCS#12 file apart.
func credentialPFX(pfx []byte, passphrase string) (credentialParts, error) {
	key, leaf, issuers, err := pkcs12.DecodeChain(pfx, passphrase)
	if err != nil {
		return credentialParts{}, pfxError(err)
	}
	parts := credentialParts{certs: append([]*x509.Certificate{leaf}, issuers...)}
	parts.key, err = rsaKey(key)
	return parts, err
}

// pfxError says what the library said, of which most has no type.
func pfxError(err error) error {
	_, unknown := errors.AsType[pkcs12.NotImplementedError](err)
	says := func(text string) bool { return strings.Contains(err.Error(), text) }
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return &CredentialError{Kind: ErrPassphrase, Hint: "correct Passphrase"}
	case says("no MAC"): // a file without a password was opened with one
		return &CredentialError{Kind: ErrPassphrase, Err: errors.New("the PFX has none"), Hint: "leave Passphrase empty"}
	case says("UCS-2"):
		return &CredentialError{Kind: ErrPassphrase, Err: errors.New("a character in it can't be in the passphrase of a PFX"),
			Hint: "export the PFX with another passphrase"}
	case says("exactly one key bag"):
		return &CredentialError{Kind: ErrSeveralKeys, Hint: "export the certificate and its own key alone"}
	case says("private key missing"):
		return &CredentialError{Kind: ErrNoKey, Hint: "export the certificate with its private key"}
	case says("certificate missing"):
		return &CredentialError{Kind: ErrPrivateKey, Hint: "export the key with its certificate"}
	case unknown:
		return &CredentialError{Kind: ErrEncryption, Hint: "export the PFX anew, with AES"}
	}
	return &CredentialError{Kind: ErrCredential, Err: errors.New("not a PKCS#12 file, or a damaged one"),
		Hint: "export the certificate with its private key again"}
}
