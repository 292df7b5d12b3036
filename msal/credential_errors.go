package msal

import (
	"errors"
	"strings"
)

// What can be wrong with a credential. Test for it with errors.Is; every error
// of its is a [*CredentialError]. [ErrPrivateKey] and [ErrCertificate] are
// among them too.
var (
	// ErrCredential: the credential can't be used. Every CredentialError is this.
	ErrCredential = errors.New("the credential can't be used")
	// ErrPassphrase: the passphrase is wrong, or one is needed.
	ErrPassphrase = errors.New("the passphrase is wrong or missing")
	// ErrEncryption: the private key is encrypted in a way that isn't opened
	// here: as RFC 1423 has it, where a single MD5 stands between the passphrase
	// and the key, or with an algorithm that isn't known.
	ErrEncryption = errors.New("the private key's encryption isn't supported")
	// ErrNoKey: there is no private key.
	ErrNoKey = errors.New("there is no private key")
	// ErrSeveralKeys: which of the private keys to use isn't said.
	ErrSeveralKeys = errors.New("there is more than one private key")
	// ErrKeyType: the private key isn't for RSA, or can't be read. Entra ID
	// takes RSA alone.
	ErrKeyType = errors.New("the private key isn't an RSA key that can be read")
	// ErrKeyMismatch: the private key belongs to none of the certificates.
	ErrKeyMismatch = errors.New("the private key belongs to none of the certificates")
	// ErrThumbprint: the thumbprint isn't the certificate's, or none at all.
	ErrThumbprint = errors.New("the thumbprint doesn't fit")
	// ErrCertificateExpired: the certificate was valid until some time ago.
	ErrCertificateExpired = errors.New("the certificate has expired")
	// ErrCertificateNotYetValid: the certificate will be valid. Mostly a clock is
	// wrong.
	ErrCertificateNotYetValid = errors.New("the certificate isn't valid yet")
)

// CredentialError says what is wrong with a credential. It holds nothing of
// it but what is public.
type CredentialError struct {
	Kind error  // one of the sentinels, such as ErrPassphrase
	Path string // the file; empty where there is none
	Err  error  // what was found; may be nil
	Hint string // what to do next; may be empty
}

// Error is one line.
func (e *CredentialError) Error() string {
	var b strings.Builder
	b.WriteString("msalext: load the application's credential")
	if e.Path != "" {
		b.WriteString(" from " + e.Path)
	}
	b.WriteString(": " + e.Kind.Error())
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap returns ErrCredential, the kind and the cause.
func (e *CredentialError) Unwrap() []error {
	all := []error{ErrCredential, e.Kind}
	if e.Err != nil {
		all = append(all, e.Err)
	}
	return all
}

// at names the file that an error is about.
func (e *CredentialError) at(path string) *CredentialError {
	named := *e
	named.Path = path
	return &named
}
