package msal

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
)

// assertionLife is how long a client assertion is valid, as in the other MSAL
// libraries.
const assertionLife = 10 * time.Minute

// assertionSigner makes client assertions (RFC 7523 §2.2) as MSAL does, which
// takes neither claims of the application's own nor a key without a certificate.
type assertionSigner struct {
	claims map[string]json.RawMessage
	x5c    bool
}

// signedCredential signs each assertion with what identity returns then.
func signedCredential(identity func() (*certificateIdentity, *assertionSigner, error)) Credential {
	return assertedCredential("certificate", func(_ context.Context, o AssertionOptions) (string, error) {
		id, signer, err := identity()
		if err != nil {
			return "", err
		}
		return signer.assertion(id, o, time.Now())
	})
}

func (s *assertionSigner) assertion(id *certificateIdentity, o AssertionOptions, now time.Time) (string, error) {
	if err := id.valid(now); err != nil {
		return "", err
	}
	claims := map[string]any{
		"aud": o.TokenEndpoint, "iss": o.ClientID, "sub": o.ClientID, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	}
	for name, value := range s.claims {
		claims[name] = value
	}
	header := map[string]any{"typ": "JWT", "alg": "PS256"}
	if id.byRS256(o.TokenEndpoint) {
		header["alg"] = "RS256"
	}
	id.name(header)
	if s.x5c && id.leaf != nil {
		header["x5c"] = id.x5c()
	}
	return signJWT(header, claims, id.key)
}

// byRS256 tells whether the endpoint takes no other algorithm: AD FS and dSTS
// don't, and who registered a SHA-1 thumbprint alone may have done so for an
// old one.
func (id *certificateIdentity) byRS256(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(u.Path), "/"), "/")
	return first == "adfs" || first == "dstsv2" || id.leaf == nil && id.thumb.isSHA1()
}

// name puts the certificate's thumbprint into the header (RFC 7515 §4.1.7, §4.1.8).
func (id *certificateIdentity) name(header map[string]any) {
	base64url := base64.RawURLEncoding.EncodeToString
	switch {
	case id.leaf == nil && id.thumb.isSHA1():
		header["x5t"] = base64url(id.thumb)
	case id.leaf == nil:
		header["x5t#S256"] = base64url(id.thumb)
	case header["alg"] == "RS256":
		hash := sha1.Sum(id.leaf.Raw)
		header["x5t"] = base64url(hash[:])
	default:
		hash := sha256.Sum256(id.leaf.Raw)
		header["x5t#S256"] = base64url(hash[:])
	}
}

// signJWT signs by the algorithm in the header, RS256 or PS256 (RFC 7518 §3.3,
// §3.5).
func signJWT(header, claims map[string]any, key *rsa.PrivateKey) (string, error) {
	head, err := json.Marshal(header)
	if err != nil {
		return "", &CredentialError{Kind: ErrCredential, Err: err}
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", &CredentialError{Kind: ErrCredential, Err: err}
	}
	signed := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	digest := sha256.Sum256([]byte(signed))
	var signature []byte
	if header["alg"] == "RS256" {
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	} else {
		signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	if err != nil {
		return "", &CredentialError{Kind: ErrKeyType, Err: errors.New("it can't sign"), Hint: "make a certificate with an RSA key of 2048 bits or more"}
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
