package msaltest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1" // x5t is by definition a SHA-1 thumbprint (RFC 7515 §4.1.7)
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// checkAssertion judges a client assertion (RFC 7523 §3) as Entra ID does: by
// https://learn.microsoft.com/entra/identity-platform/certificate-credentials.
func (a *App) checkAssertion(assertion, endpoint string) *Failure {
	header, claims, err := parseJWT(assertion)
	if err != nil {
		return newFailure("invalid_request", 50027, "Invalid JWT token: "+err.Error()+".")
	}
	certificate, err := a.signer(header)
	if err == nil {
		err = verifyAssertion(header, assertion, certificate)
	}
	if err != nil {
		return newFailure("invalid_client", 700027, "The certificate used to sign the client assertion isn't registered, or the signature is wrong: "+err.Error()+".")
	}
	return a.checkClaims(claims, endpoint)
}

func (a *App) checkClaims(claims map[string]any, endpoint string) *Failure {
	now := float64(time.Now().Unix())
	expires, _ := claims["exp"].(float64)
	begins, _ := claims["nbf"].(float64)
	const skew = 300 // seconds, as Entra ID allows
	switch {
	case expires <= now-skew || begins > now+skew:
		return newFailure("invalid_client", 700024, "Client assertion is not within its valid time range.")
	case claims["aud"] != endpoint:
		return newFailure("invalid_client", 700023, fmt.Sprintf("Client assertion audience %q isn't %s.", claims["aud"], endpoint))
	case claims["iss"] != a.ClientID || claims["sub"] != a.ClientID:
		return newFailure("invalid_client", 700021, "Client assertion issuer and subject must be the client's id.")
	case claims["jti"] == nil || claims["jti"] == "":
		return newFailure("invalid_client", 50027, "Client assertion has no jti.")
	}
	return nil
}

// signer finds the certificate that an assertion's header names or brings.
func (a *App) signer(header map[string]any) (*x509.Certificate, error) {
	for _, certificate := range a.Certificates {
		one, two := sha1.Sum(certificate.Raw), sha256.Sum256(certificate.Raw)
		if named(header["x5t"], one[:]) || named(header["x5t#S256"], two[:]) {
			return certificate, nil
		}
	}
	if chain, ok := header["x5c"].([]any); ok && a.SubjectName != "" {
		return a.bySubjectName(chain)
	}
	return nil, errors.New("no registered certificate has the thumbprint in x5t or x5t#S256")
}

// named compares a thumbprint. MSAL for Go writes it in the standard alphabet
// with padding, others as RFC 7515 has it.
func named(thumbprint any, sum []byte) bool {
	text, _ := thumbprint.(string)
	text = strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(text)
	return text == base64.RawURLEncoding.EncodeToString(sum)
}

// bySubjectName judges the certificates of x5c, the signer's first.
func (a *App) bySubjectName(chain []any) (*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for _, element := range chain {
		text, _ := element.(string)
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("x5c: %w", err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("x5c: %w", err)
		}
		certificates = append(certificates, certificate)
	}
	if len(certificates) == 0 {
		return nil, errors.New("x5c is empty")
	}
	leaf, between := certificates[0], x509.NewCertPool()
	for _, certificate := range certificates[1:] {
		between.AddCert(certificate)
	}
	if leaf.Subject.CommonName != a.SubjectName && !slices.Contains(leaf.DNSNames, a.SubjectName) {
		return nil, fmt.Errorf("the certificate in x5c is made out to %q", leaf.Subject.CommonName)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: a.Roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return leaf, err
}

func verifyAssertion(header map[string]any, assertion string, certificate *x509.Certificate) error {
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("the certificate's key is %T, not RSA", certificate.PublicKey)
	}
	last := strings.LastIndexByte(assertion, '.')
	signature, err := base64.RawURLEncoding.DecodeString(assertion[last+1:])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(assertion[:last]))
	switch header["alg"] {
	case "RS256":
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	case "PS256":
		return rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, nil)
	}
	return fmt.Errorf("alg is %q, not RS256 or PS256", header["alg"])
}
