package msal

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// popType is the token type, and the proof's typ, as Entra ID writes them.
const popType = "pop"

// popJWK is a public RSA key (RFC 7518 §6.3.1). The members are in the order
// that the thumbprint of RFC 7638 §3.1 wants.
type popJWK struct {
	E   string `json:"e"`
	Kty string `json:"kty"`
	N   string `json:"n"`
}

// popKey is a key that tokens are bound to.
type popKey struct {
	private      *rsa.PrivateKey
	public       popJWK
	id           string // thumbprint
	confirmation string // req_cnf
}

// processPopKey makes the key at the first call, as MSAL for .NET does: one that
// were stored could be stolen together with the tokens.
var processPopKey = sync.OnceValues(newPopKey)

func newPopKey() (*popKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	k := &popKey{private: private, public: popJWK{
		E: encode(big.NewInt(int64(private.E)).Bytes()), Kty: "RSA", N: encode(private.N.Bytes()),
	}}
	canonical, err := json.Marshal(k.public)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(canonical)
	k.id = encode(sum[:])
	// Of the four forms of RFC 7800 this is the one that Entra ID takes.
	k.confirmation = encode([]byte(`{"kid":"` + k.id + `"}`))
	return k, nil
}

// sign makes the signed HTTP request.
func (s *PopAuthScheme) sign(accessToken string) (string, error) {
	claims := jwt.MapClaims{
		"at":    accessToken,
		"ts":    time.Now().Unix(),
		"m":     s.options.HTTPMethod,
		"u":     popHost(s.url),
		"p":     popPath(s.url),
		"nonce": s.options.Nonce,
		"cnf":   map[string]any{"jwk": s.key.public},
	}
	if s.options.Query && s.url.RawQuery != "" {
		claims["q"] = popQuery(s.url.RawQuery)
	}
	proof := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	proof.Header["typ"] = popType
	proof.Header["kid"] = s.key.id
	return proof.SignedString(s.key.private)
}

// popHost is host and port as in the Host field of the request: without the
// port that the scheme has anyway.
func popHost(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := u.Port(); port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return strings.TrimSuffix(host, ":"+port)
	}
	return host
}

// popPath is the path as it is sent.
func popPath(u *url.URL) string {
	if path := u.EscapedPath(); path != "" {
		return path
	}
	return "/"
}

// popQuery lists the parameters and hashes them in that order (§3.2 of the
// draft), as they are escaped in the URL.
func popQuery(raw string) []any {
	names := []string{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	sum := sha256.Sum256([]byte(raw))
	return []any{names, base64.RawURLEncoding.EncodeToString(sum[:])}
}
