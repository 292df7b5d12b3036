package msaltest_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// boundToken asks for an access token that is bound to aKey, and returns it
// and the key as a JWK.
func boundToken(t *testing.T, ask func(reqCnf string) map[string]any) (string, map[string]any) {
	t.Helper()
	key := aKey()
	jwk := map[string]any{
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()), "kty": "RSA",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
	}
	canonical, err := json.Marshal(jwk) // members are in order, as RFC 7638 has it
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(canonical)
	confirmation := fmt.Appendf(nil, `{"kid":%q}`, base64.RawURLEncoding.EncodeToString(sum[:]))
	answer := ask(base64.RawURLEncoding.EncodeToString(confirmation))
	if answer["token_type"] != "pop" {
		t.Fatalf("answer %v", answer)
	}
	return fmt.Sprint(answer["access_token"]), jwk
}

func TestBoundTokens(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	fields := map[string]string{
		"grant_type": "password", "client_id": "c", "username": alice, "password": srv.Password(alice), "scope": "User.Read",
		"token_type": "pop",
	}
	token, jwk := boundToken(t, func(reqCnf string) map[string]any {
		fields["req_cnf"] = reqCnf
		_, answer := postToken(t, srv, fields)
		return answer
	})
	at, err := url.Parse(srv.GraphURL() + "/me")
	if err != nil {
		t.Fatal(err)
	}
	plain := signIn(t, srv, newPublic(t, srv), alice).AccessToken
	own := &x509.Certificate{}
	for _, tt := range []struct {
		name   string
		header map[string]any
		change map[string]any
		status int
	}{
		{"proven", nil, nil, 200},
		{"another method", nil, map[string]any{"m": "POST"}, 401},
		{"another host", nil, map[string]any{"u": "graph.microsoft.com"}, 401},
		{"another path", nil, map[string]any{"p": "/v1.0/users"}, 401},
		{"long ago", nil, map[string]any{"ts": time.Now().Add(-time.Hour).Unix()}, 401},
		{"another algorithm", map[string]any{"alg": "none"}, nil, 401},
		{"a token without a key", nil, map[string]any{"at": plain}, 401},
		{"no key", nil, map[string]any{"cnf": nil}, 401},
		{"another key", nil, map[string]any{"cnf": map[string]any{"jwk": map[string]any{"e": "AQAB", "kty": "RSA", "n": "AQAB"}}}, 401},
	} {
		claims := map[string]any{
			"at": token, "ts": time.Now().Unix(), "m": "GET", "u": at.Host, "p": at.Path,
			"nonce": "n", "cnf": map[string]any{"jwk": jwk},
		}
		maps.Copy(claims, tt.change)
		proof := asserted(t, aKey(), own, tt.header, claims)
		resp, body := fetch(t, deadline(t), srv.Client(), at.String(), http.Header{"Authorization": {"PoP " + proof}})
		if resp.StatusCode != tt.status {
			t.Errorf("%s: %s %s", tt.name, resp.Status, body)
		}
	}
	fields["req_cnf"] = "x"
	if _, answer := postToken(t, srv, fields); answer["error"] != "invalid_request" {
		t.Errorf("a key that isn't named: %v", answer)
	}
}
