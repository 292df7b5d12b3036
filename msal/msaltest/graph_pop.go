package msaltest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// presented returns the claims of the access token that a request presents:
// by itself (Bearer), or in a request that its owner signed (PoP).
func (s *Server) presented(scheme, token string, r *http.Request) (map[string]any, error) {
	switch strings.ToLower(scheme) {
	case "bearer":
		claims, err := s.verify(token)
		if err == nil && claims["cnf"] != nil {
			return nil, errors.New("the token is bound to a key, and was presented without a proof")
		}
		return claims, err
	case "pop":
		return s.proven(token, r)
	}
	return nil, errors.New("no access token was presented")
}

// proven judges a signed HTTP request
// (https://datatracker.ietf.org/doc/html/draft-ietf-oauth-signed-http-request-03)
// as Entra ID's resources do.
func (s *Server) proven(proof string, r *http.Request) (map[string]any, error) {
	header, said, err := parseJWT(proof)
	if err != nil {
		return nil, err
	}
	bound, _ := said["at"].(string)
	claims, err := s.verify(bound)
	if err != nil {
		return nil, err
	}
	key, thumbprint, err := proofKey(said)
	if err != nil {
		return nil, err
	}
	confirmed, _ := claims["cnf"].(map[string]any)
	if confirmed["kid"] != thumbprint {
		return nil, errors.New("the token is bound to another key")
	}
	if err := verifyProof(header, proof, key); err != nil {
		return nil, err
	}
	return claims, about(said, r)
}

// proofKey reads the public key that a proof brings, and its thumbprint
// (RFC 7638).
func proofKey(said map[string]any) (*rsa.PublicKey, string, error) {
	confirmation, _ := said["cnf"].(map[string]any)
	jwk, _ := confirmation["jwk"].(map[string]any)
	n, err1 := base64.RawURLEncoding.DecodeString(fmt.Sprint(jwk["n"]))
	e, err2 := base64.RawURLEncoding.DecodeString(fmt.Sprint(jwk["e"]))
	if err := errors.Join(err1, err2); err != nil || jwk["kty"] != "RSA" {
		return nil, "", fmt.Errorf("the proof holds no RSA key: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, `{"e":%q,"kty":"RSA","n":%q}`, jwk["e"], jwk["n"]))
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	return key, base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

func verifyProof(header map[string]any, proof string, key *rsa.PublicKey) error {
	last := strings.LastIndexByte(proof, '.')
	signature, err := base64.RawURLEncoding.DecodeString(proof[last+1:])
	if err != nil {
		return err
	}
	if header["alg"] != "RS256" {
		return fmt.Errorf("the proof's alg is %q, not RS256", header["alg"])
	}
	sum := sha256.Sum256([]byte(proof[:last]))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
}

// about tells whether a proof is about this request.
func about(said map[string]any, r *http.Request) error {
	at, _ := said["ts"].(float64)
	for _, part := range []struct{ claim, want string }{{"m", r.Method}, {"u", r.Host}, {"p", r.URL.EscapedPath()}} {
		if got, there := said[part.claim]; there && got != part.want {
			return fmt.Errorf("the proof is for %s %q, not %q", part.claim, got, part.want)
		}
	}
	if age := time.Since(time.Unix(int64(at), 0)).Abs(); age > 5*time.Minute {
		return fmt.Errorf("the proof is %v old", age.Round(time.Second))
	}
	return nil
}

// boundTo returns the id of the key that a token request asks to have its
// token bound to, by req_cnf.
func boundTo(requested string) (string, *Failure) {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(requested, "="))
	var confirmation struct {
		KeyID string `json:"kid"`
	}
	if err == nil {
		err = json.Unmarshal(data, &confirmation)
	}
	if err != nil || confirmation.KeyID == "" {
		return "", invalidRequest("The parameter req_cnf doesn't name a key.")
	}
	return confirmation.KeyID, nil
}
