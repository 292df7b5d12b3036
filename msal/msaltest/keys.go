package msaltest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"
)

// signingKey is one of the keys that tokens are signed with.
type signingKey struct {
	id      string
	private *rsa.PrivateKey
}

// firstKey is made once for a process, and for none that signs nothing: it
// takes longer than all else that a fake does.
var firstKey = sync.OnceValues(newSigningKey)

func newSigningKey() (signingKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	return signingKey{id: rand.Text(), private: private}, err
}

// RotateKeys makes the fake sign with a new key from now on. Keys of before
// remain published, as Entra ID's do for a while, unless forget is set; then
// what they signed can't be verified any more.
func (s *Server) RotateKeys(forget bool) error {
	key, err := newSigningKey()
	if err != nil {
		return fmt.Errorf("making a signing key: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.published()
	if forget {
		before = nil
	}
	s.keys = append([]signingKey{key}, before...)
	return nil
}

// published returns the keys, the one that signs first.
func (s *Server) published() []signingKey {
	if len(s.keys) == 0 {
		// Without randomness nothing here works; an empty list says so later.
		if key, err := firstKey(); err == nil {
			s.keys = []signingKey{key}
		}
	}
	return s.keys
}

// Sign returns a JWT with the given claims, signed (RS256) with the key that
// the fake publishes and signs ID tokens with, whatever [Options.Marker] says.
// It adds no claims: a test can make tokens that are expired, or somebody
// else's. It fails where a claim can't be JSON.
func (s *Server) Sign(claims map[string]any) (string, error) {
	if _, err := json.Marshal(claims); err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sign(claims)
}

func (s *Server) sign(claims map[string]any) (string, error) {
	keys := s.published()
	if len(keys) == 0 {
		return "", errors.New("signing a token: no key could be made")
	}
	signed := encode(map[string]any{"typ": "JWT", "alg": "RS256", "kid": keys[0].id}) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, keys[0].private, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// jwt makes a token of the fake's. A signature can't hold a marker, so with
// one there is a code of our own in its place, which only the fake can check.
func (s *Server) jwt(claims map[string]any) string {
	if s.opts.Marker == "" {
		if token, err := s.sign(claims); err == nil {
			return token
		}
	}
	unsigned := encode(map[string]any{"alg": "none", "typ": "JWT"}) + "." + encode(claims)
	return unsigned + "." + s.seal(unsigned)
}

// seal takes the place of a signature.
func (s *Server) seal(unsigned string) string {
	code := hmac.New(sha256.New, s.sealing)
	code.Write([]byte(unsigned))
	return s.opts.marked("token-" + base64.RawURLEncoding.EncodeToString(code.Sum(nil)))
}

// verify returns the claims of a token that this fake made and that hasn't
// expired.
func (s *Server) verify(token string) (map[string]any, error) {
	header, claims, err := parseJWT(token)
	if err != nil {
		return nil, err
	}
	last := strings.LastIndexByte(token, '.')
	unsigned, signature := token[:last], token[last+1:]
	if header["alg"] == "none" {
		if !hmac.Equal([]byte(signature), []byte(s.seal(unsigned))) {
			return nil, errors.New("the token isn't this fake's")
		}
	} else if err := s.verifySignature(header, unsigned, signature); err != nil {
		return nil, err
	}
	if expires, _ := claims["exp"].(float64); time.Now().Unix() >= int64(expires) {
		return nil, errExpired
	}
	return claims, nil
}

var errExpired = errors.New("the token has expired")

func (s *Server) verifySignature(header map[string]any, unsigned, signature string) error {
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return fmt.Errorf("the token's signature: %w", err)
	}
	sum := sha256.Sum256([]byte(unsigned))
	for _, key := range s.published() {
		if key.id == header["kid"] {
			return rsa.VerifyPKCS1v15(&key.private.PublicKey, crypto.SHA256, sum[:], raw)
		}
	}
	return fmt.Errorf("the token was signed with a key %v that isn't published", header["kid"])
}

// parseJWT decodes header and claims.
func parseJWT(token string) (header, claims map[string]any, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, nil, errors.New("a JWT has three parts")
	}
	for i, into := range []*map[string]any{&header, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("part %d of a JWT: %w", i+1, err)
		}
	}
	return header, claims, nil
}

// publishKeys serves the JWKS (RFC 7517).
func (s *Server) publishKeys(*http.Request) (any, *Failure) {
	list := []map[string]any{}
	for _, key := range s.published() {
		list = append(list, map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.id,
			"n": base64.RawURLEncoding.EncodeToString(key.private.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.private.E)).Bytes()),
		})
	}
	return map[string]any{"keys": list}, nil
}
