package msal

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
)

// What [PublicFromEnv] and [ConfidentialFromEnv] read. The names are those of
// the samples for MSAL Python and of the Azure SDKs' EnvironmentCredential.
const (
	EnvClientID      = "AZURE_CLIENT_ID"
	EnvAuthority     = "AZURE_AUTHORITY"      // whole, with the tenant
	EnvAuthorityHost = "AZURE_AUTHORITY_HOST" // with EnvTenantID, where there is no EnvAuthority
	EnvTenantID      = "AZURE_TENANT_ID"

	EnvClientSecret          = "AZURE_CLIENT_SECRET"
	EnvCertificatePath       = "AZURE_CERTIFICATE_PATH"
	EnvCertificateThumbprint = "AZURE_CERTIFICATE_THUMBPRINT"
	EnvClientCertificatePath = "AZURE_CLIENT_CERTIFICATE_PATH"
	EnvClientCertificatePass = "AZURE_CLIENT_CERTIFICATE_PASSWORD"
	EnvSendCertificateChain  = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN" // true or 1
)

// ErrNotSet: a variable of the environment isn't there, or is empty.
var ErrNotSet = errors.New("it isn't set")

// EnvError tells of a variable of the environment that is missing ([ErrNotSet])
// or can't be used, such as a certificate's path ([*CredentialError]).
type EnvError struct {
	Name string // of the variable
	Err  error
}

// Error names the variable, and not what it holds.
func (e *EnvError) Error() string {
	return fmt.Sprintf("msalext: making a client of the environment: %s: %v", e.Name, e.Err)
}

// Unwrap returns what is wrong.
func (e *EnvError) Unwrap() error { return e.Err }

// PublicFromEnv makes a public client of the environment: [EnvClientID], and
// where o names no Authority, [EnvAuthority] or what [EnvAuthorityHost] and
// [EnvTenantID] make together. Without any of these it is as for [NewPublic].
// The errors are [*EnvError] and those of NewPublic.
func PublicFromEnv(o *Options) (*Public, error) {
	id, full, err := fromEnv(o)
	if err != nil {
		return nil, err
	}
	return NewPublic(id, full)
}

// ConfidentialFromEnv makes a confidential client of the environment, as
// [PublicFromEnv] does and with the first credential of these: the secret in
// [EnvClientSecret]; the file that [EnvClientCertificatePath] names, PEM or
// PKCS#12, with [EnvClientCertificatePass] and [EnvSendCertificateChain]; the one
// that [EnvCertificatePath] names, which may be a private key alone, with
// [EnvCertificateThumbprint]. Files are followed when they change
// ([CertificateFile]).
func ConfidentialFromEnv(o *Options) (*Confidential, error) {
	id, full, err := fromEnv(o)
	if err != nil {
		return nil, err
	}
	credential, err := credentialFromEnv()
	if err != nil {
		return nil, err
	}
	return NewConfidential(id, credential, full)
}

func fromEnv(o *Options) (clientID string, full *Options, err error) {
	full = &Options{}
	if o != nil {
		*full = *o
	}
	if clientID = os.Getenv(EnvClientID); clientID == "" {
		return "", nil, &EnvError{EnvClientID, ErrNotSet}
	}
	full.Authority = cmp.Or(full.Authority, os.Getenv(EnvAuthority))
	host, tenant := os.Getenv(EnvAuthorityHost), os.Getenv(EnvTenantID)
	if full.Authority == "" && (host != "" || tenant != "") {
		host = cmp.Or(host, AuthorityPublic)
		if !strings.Contains(host, "://") { // the Azure SDKs take a bare host as well
			host = "https://" + host
		}
		full.Authority = strings.TrimRight(host, "/") + "/" + cmp.Or(tenant, commonTenant)
	}
	return clientID, full, nil
}

func credentialFromEnv() (Credential, error) {
	if secret := os.Getenv(EnvClientSecret); secret != "" {
		return Secret(secret)
	}
	for _, file := range []struct {
		name string
		opts CertificateOptions
	}{
		{EnvClientCertificatePath, CertificateOptions{Passphrase: os.Getenv(EnvClientCertificatePass), SendX5C: isTrue(os.Getenv(EnvSendCertificateChain))}},
		{EnvCertificatePath, CertificateOptions{Thumbprint: os.Getenv(EnvCertificateThumbprint)}},
	} {
		path := os.Getenv(file.name)
		if path == "" {
			continue
		}
		credential, err := CertificateFile(path, &file.opts)
		if err != nil {
			return Credential{}, &EnvError{file.name, err}
		}
		return credential, nil
	}
	return Credential{}, &EnvError{EnvClientSecret, fmt.Errorf("%w, and neither is %s or %s", ErrNotSet, EnvClientCertificatePath, EnvCertificatePath)}
}

// isTrue is what the Azure SDKs take for true.
func isTrue(value string) bool { return value == "1" || strings.EqualFold(value, "true") }
