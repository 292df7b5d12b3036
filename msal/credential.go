package msal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// A Credential is how a confidential client proves to the identity provider
// which application it is. It stands for MSAL Python's client_credential:
//
//	"secret"                                  [Secret]
//	private key and certificate, PEM          [CertificatePEM], [CertificateFile]
//	passphrase                                [CertificateOptions.Passphrase]
//	private_key and thumbprint alone          [CertificateOptions.Thumbprint]
//	private_key_pfx_path                      [CertificateFile], [CertificatePFX]
//	public_certificate (subject name/issuer)  [CertificateOptions.SendX5C]
//	client_assertion                          [Assertion], [AssertionFunc]
//	client_claims                             [CertificateOptions.Claims]
//
// An application that runs at Azure with a managed identity needs none of
// them: MSAL's own package managedidentity gets its tokens. Those stay in
// memory, since whoever can read a store must not become the machine, and a new
// token costs a request to the machine itself; there is nothing to persist. A
// managed identity can also be what [AssertionFunc] asks (see its example).
//
// A Credential isn't changed after it was made, and may be used by any number
// of clients at once. fmt and log/slog print nothing of it but its kind. The
// zero value is none, and refused by MSAL.
type Credential struct {
	inner   confidential.Credential
	options []confidential.Option
	kind    string
	// proof is what MSAL would add to a token request, for those that it adds
	// nothing to.
	proof func(context.Context, AssertionOptions) (url.Values, error)
}

// Secret is the credential of an application that has a client secret. An empty
// one is an error, which is [ErrCredential].
func Secret(secret string) (Credential, error) {
	inner, err := confidential.NewCredFromSecret(secret)
	if err != nil {
		return Credential{}, &CredentialError{Kind: ErrCredential, Err: errors.New("the client secret is empty")}
	}
	proof := func(context.Context, AssertionOptions) (url.Values, error) {
		return url.Values{"client_secret": {secret}}, nil
	}
	return Credential{inner: inner, kind: "client secret", proof: proof}, nil
}

// assertedCredential is one whose proof is a client assertion.
func assertedCredential(kind string, assertion func(context.Context, AssertionOptions) (string, error)) Credential {
	proof := func(ctx context.Context, o AssertionOptions) (url.Values, error) {
		jwt, err := assertion(ctx, o)
		return url.Values{"client_assertion": {jwt}, "client_assertion_type": {assertionType}}, err
	}
	return Credential{inner: confidential.NewCredFromAssertionCallback(assertion), kind: kind, proof: proof}
}

// assertionType is that of RFC 7523 §2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// String says of what kind the credential is.
func (c Credential) String() string {
	if c.kind == "" {
		return "msal.Credential(none)"
	}
	return "msal.Credential(" + c.kind + ")"
}

// Format prints what String returns, whatever the verb.
func (c Credential) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, c.String()) // fmt has no way to tell of a failed write
}

// LogValue is what log/slog logs: what String returns.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText gives encoders what String returns.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
