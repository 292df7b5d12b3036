package msal

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// CertificateOptions tune credentials that are a private key with its
// certificate. Nil and the zero value are fine.
type CertificateOptions struct {
	// Passphrase opens an encrypted private key or PFX. It is UTF-8, and a PFX
	// takes characters of the Basic Multilingual Plane alone. It isn't looked at
	// where nothing is encrypted.
	Passphrase string
	// Thumbprint is what Entra ID shows for the certificate: the SHA-1 of its
	// DER form in 40 hexadecimal digits, or the SHA-256 in 64. Letter case,
	// colons and white space don't count, nor does the invisible character that
	// comes along when it is copied from Windows' certificate dialog.
	//
	// With a certificate it must be that one's: ErrThumbprint says that it
	// isn't. Without a certificate, a private key and this suffice, as for MSAL
	// Python; with SHA-1 the assertion is then signed by RS256 and names the key
	// by x5t.
	Thumbprint string
	// SendX5C sends the certificate and its issuers along (x5c), so that an
	// application is known by the certificate's subject name and issuer, and a
	// renewed certificate needs no registration.
	SendX5C bool
	// Claims are signed into each client assertion, as MSAL Python's
	// client_claims. They go before the claims that are there by themselves:
	// aud, iss, sub, exp, iat, nbf, jti. Each value must be what encoding/json
	// takes.
	Claims map[string]any

	// KeyFile is where the private key lies for [CertificateFile], if it is in a
	// file of its own (tls.key of a Kubernetes secret); PEM.
	KeyFile string
	// OnError is told when [CertificateFile] can't use what its file has become,
	// once for each thing that is wrong. It must return soon. Nil: nobody is,
	// beyond the log.
	OnError func(error)
	// Logger gets a warning for the same reason, and an information when another
	// certificate is used from now on; nil: slog.Default.
	Logger *slog.Logger
}

// CertificatePEM makes a credential of PEM text (RFC 7468) that holds one
// private key, and the certificate that belongs to it with those of its
// issuers, in any order (of several for the key the one that the thumbprint
// names, else the one that expires last); or a key alone where the options have the thumbprint.
// The key may be PKCS#1 ("RSA PRIVATE KEY"), PKCS#8, or encrypted PKCS#8 by
// PBES2, with PBKDF2 or scrypt. What is encrypted as RFC 1423 has it
// ("Proc-Type: 4,ENCRYPTED") is refused.
//
// A certificate that isn't valid now is an error, since the identity provider
// would refuse it with less to say. Errors are [*CredentialError].
func CertificatePEM(text []byte, opts *CertificateOptions) (Credential, error) {
	return certificateCredential(text, credentialPEM, opts)
}

// CertificatePFX makes a credential of a PKCS#12 file's content (.pfx, .p12;
// RFC 7292) with one private key, its certificate, and perhaps those of issuers.
// The passphrase may be empty, in either of the ways in which that is written.
//
// Errors are [*CredentialError], as for [CertificatePEM].
func CertificatePFX(pfx []byte, opts *CertificateOptions) (Credential, error) {
	return certificateCredential(pfx, credentialPFX, opts)
}

// credentialFormat takes a credential's bytes apart.
type credentialFormat func(data []byte, passphrase string) (credentialParts, error)

// credentialFormatOf tells PEM from PKCS#12, which is DER and so begins with a
// sequence.
func credentialFormatOf(data []byte) credentialFormat {
	if len(data) > 0 && data[0] == 0x30 {
		return credentialPFX
	}
	return credentialPEM
}

func certificateCredential(data []byte, format credentialFormat, opts *CertificateOptions) (Credential, error) {
	if opts == nil {
		opts = &CertificateOptions{}
	}
	if opts.KeyFile != "" {
		return Credential{}, &CredentialError{Kind: ErrCredential, Err: errors.New("KeyFile is for CertificateFile"), Hint: "put the key beside the certificate"}
	}
	claims, err := encodeClaims(opts.Claims)
	if err != nil {
		return Credential{}, err
	}
	id, err := newCertificateIdentity(data, format, opts)
	if err != nil {
		return Credential{}, err
	}
	signer := &assertionSigner{claims: claims, x5c: opts.SendX5C}
	c := signedCredential(func() (*certificateIdentity, *assertionSigner, error) { return id, signer, nil })
	if id.leaf == nil || len(claims) > 0 {
		return c, nil
	}
	if c.inner, err = confidential.NewCredFromCert(id.chain, id.key); err != nil {
		return Credential{}, &CredentialError{Kind: ErrCertificate, Err: err}
	}
	if opts.SendX5C {
		c.options = []confidential.Option{confidential.WithX5C()}
	}
	return c, nil
}

// encodeClaims makes JSON of the claims now, so that the caller may change them
// afterwards, and that what can't be encoded shows.
func encodeClaims(claims map[string]any) (map[string]json.RawMessage, error) {
	encoded := map[string]json.RawMessage{}
	for name, value := range maps.All(claims) {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, &CredentialError{Kind: ErrCredential, Err: fmt.Errorf("the claim %q: %w", name, err)}
		}
		encoded[name] = text
	}
	return encoded, nil
}

// credentialParts are what a credential's bytes hold.
type credentialParts struct {
	key   *rsa.PrivateKey
	certs []*x509.Certificate
}

// certificateIdentity is a private key and what names it. It is never changed.
type certificateIdentity struct {
	key   *rsa.PrivateKey
	leaf  *x509.Certificate   // nil: the thumbprint alone is known
	chain []*x509.Certificate // the leaf first
	thumb thumbprint          // where there is no leaf
}

func newCertificateIdentity(data []byte, format credentialFormat, opts *CertificateOptions) (*certificateIdentity, error) {
	thumb, err := parseThumbprint(opts.Thumbprint)
	if err != nil {
		return nil, err
	}
	parts, err := format(data, opts.Passphrase)
	if err != nil {
		return nil, err
	}
	id := &certificateIdentity{key: parts.key, thumb: thumb}
	switch {
	case len(parts.certs) > 0:
	case thumb == nil:
		return nil, &CredentialError{Kind: ErrPrivateKey, Hint: "add the certificate, or set Thumbprint"}
	case opts.SendX5C:
		return nil, &CredentialError{Kind: ErrPrivateKey, Hint: "add the certificate, which SendX5C sends"}
	default:
		return id, nil
	}
	if id.chain, err = leafFirst(parts, thumb); err != nil {
		return nil, err
	}
	id.leaf = id.chain[0]
	if thumb != nil && !thumb.matches(id.leaf) {
		return nil, &CredentialError{Kind: ErrThumbprint, Err: fmt.Errorf("that of the certificate is %s", sha1Thumbprint(id.leaf)),
			Hint: "correct the thumbprint, or take the certificate that it names"}
	}
	return id, id.valid(time.Now())
}

// leafFirst finds the certificate that belongs to the key. Of several, as after
// a renewal, it is the one that the thumbprint names, else the one that expires
// last; the others are left out, since MSAL would choose another way.
func leafFirst(parts credentialParts, thumb thumbprint) ([]*x509.Certificate, error) {
	var own, others []*x509.Certificate
	for _, cert := range parts.certs {
		if public, ok := cert.PublicKey.(*rsa.PublicKey); ok && parts.key.PublicKey.Equal(public) {
			own = append(own, cert)
		} else {
			others = append(others, cert)
		}
	}
	if len(own) == 0 {
		return nil, &CredentialError{Kind: ErrKeyMismatch, Hint: "put the key and its own certificate together"}
	}
	leaf := slices.MaxFunc(own, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	if named := slices.IndexFunc(own, func(c *x509.Certificate) bool { return thumb != nil && thumb.matches(c) }); named >= 0 {
		leaf = own[named]
	}
	return append([]*x509.Certificate{leaf}, others...), nil
}

// valid tells whether the identity provider would take the certificate now. Of
// a thumbprint alone nobody knows.
func (id *certificateIdentity) valid(now time.Time) error {
	switch {
	case id.leaf == nil:
	case now.After(id.leaf.NotAfter):
		return &CredentialError{Kind: ErrCertificateExpired, Err: fmt.Errorf("on %s", id.leaf.NotAfter.UTC().Format(time.RFC3339)),
			Hint: "renew it, and register the new one"}
	case now.Before(id.leaf.NotBefore):
		return &CredentialError{Kind: ErrCertificateNotYetValid, Err: fmt.Errorf("before %s", id.leaf.NotBefore.UTC().Format(time.RFC3339)),
			Hint: "look whether this machine's clock is right"}
	}
	return nil
}

// same tells whether two are one key under one name.
func (id *certificateIdentity) same(other *certificateIdentity) bool {
	if id.leaf == nil || other.leaf == nil {
		return id.leaf == other.leaf && id.key.Equal(other.key) && bytes.Equal(id.thumb, other.thumb)
	}
	return id.leaf.Equal(other.leaf)
}

// x5c is the chain as the header of that name has it (RFC 7515 §4.1.6).
func (id *certificateIdentity) x5c() []string {
	var list []string
	for _, cert := range id.chain {
		list = append(list, base64.StdEncoding.EncodeToString(cert.Raw))
	}
	return list
}
