package msaltest_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal/msaltest"
)

// fetch returns the status and body of a page of the fake.
func fetch(t *testing.T, ctx context.Context, client *http.Client, address string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// verify checks a token with what the fake publishes, as a stranger does.
func verify(t *testing.T, srv *msaltest.Server, token string) error {
	t.Helper()
	_, body := fetch(t, deadline(t), srv.Client(), srv.Authority()+"/v2.0/.well-known/openid-configuration", nil)
	var discovery struct {
		Keys string `json:"jwks_uri"`
	}
	if err := json.Unmarshal([]byte(body), &discovery); err != nil {
		t.Fatal(err)
	}
	_, body = fetch(t, deadline(t), srv.Client(), discovery.Keys, nil)
	var set struct {
		Keys []struct{ Kid, Kty, N, E string }
	}
	if err := json.Unmarshal([]byte(body), &set); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	var header struct{ Alg, Kid string }
	if err := json.Unmarshal(decoded(t, parts[0]), &header); err != nil {
		t.Fatal(err)
	}
	for _, key := range set.Keys {
		if key.Kid == header.Kid && header.Alg == "RS256" {
			sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
			public := &rsa.PublicKey{N: new(big.Int).SetBytes(decoded(t, key.N)), E: int(new(big.Int).SetBytes(decoded(t, key.E)).Int64())}
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], decoded(t, parts[2]))
		}
	}
	return fmt.Errorf("no key %q for %s", header.Kid, header.Alg)
}

func decoded(t *testing.T, part string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	var claims map[string]any
	if err := json.Unmarshal(decoded(t, strings.Split(token, ".")[1]), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestTokensAreSigned(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	first := signIn(t, srv, newPublic(t, srv), alice)
	for name, token := range map[string]string{"ID": first.IDToken.RawToken, "access": first.AccessToken} {
		if err := verify(t, srv, token); err != nil {
			t.Errorf("%s token: %v", name, err)
		}
	}
	if err := srv.RotateKeys(false); err != nil {
		t.Fatal(err)
	}
	second := signIn(t, srv, newPublic(t, srv), alice)
	if first.AccessToken == second.AccessToken {
		t.Error("two tokens are the same")
	}
	for _, r := range []string{first.IDToken.RawToken, second.IDToken.RawToken} {
		if err := verify(t, srv, r); err != nil {
			t.Errorf("after a rotation: %v", err)
		}
	}
	if err := srv.RotateKeys(true); err != nil {
		t.Fatal(err)
	}
	if err := verify(t, srv, second.IDToken.RawToken); err == nil {
		t.Error("verified with a key that was forgotten")
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	srv := start(t, &msaltest.Options{Marker: "MARK"})
	token, err := srv.Sign(map[string]any{"iss": "somebody", "exp": 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(t, srv, token); err != nil || claimsOf(t, token)["iss"] != "somebody" {
		t.Errorf("%v, %v", claimsOf(t, token), err)
	}
	if _, err := srv.Sign(map[string]any{"f": func() {}}); err == nil {
		t.Error("a function was signed")
	}
}
