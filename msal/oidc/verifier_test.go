package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/oidc"
)

// TestVerifyIDToken has genuine tokens with one thing wrong each.
func TestVerifyIDToken(t *testing.T) {
	t.Parallel()
	p := newIDP()
	now := time.Now()
	for _, c := range []struct {
		name    string
		change  map[string]any
		options func(*oidc.Options)
		checks  *msal.IDTokenChecks
		want    error
	}{
		{"right", nil, nil, &msal.IDTokenChecks{Nonce: "n-1", ClientID: "app", Issuer: host + "/" + tenant + "/v2.0"}, nil},
		{"nothing more to compare", nil, nil, nil, nil},
		{"another issuer", map[string]any{"iss": "https://evil.example/" + tenant + "/v2.0"}, nil, nil, msal.ErrIDTokenIssuer},
		{"another tenant's issuer", map[string]any{"iss": host + "/" + personal + "/v2.0"}, nil, nil, msal.ErrIDTokenIssuer},
		{"the issuer as it is published", map[string]any{"iss": template}, nil, nil, msal.ErrIDTokenIssuer},
		{"no tenant", map[string]any{"tid": nil}, nil, nil, msal.ErrIDTokenIssuer},
		{"a tenant that is more than an id", map[string]any{"tid": tenant + "/x", "iss": host + "/" + tenant + "/x/v2.0"}, nil, nil, msal.ErrIDTokenIssuer},
		{"an issuer that isn't the caller's", nil, nil, &msal.IDTokenChecks{Issuer: host}, msal.ErrIDTokenIssuer},
		{"one of the tenants", nil, func(o *oidc.Options) { o.Tenants = []string{personal, strings.ToUpper(tenant)} }, nil, nil},
		{"none of the tenants", nil, func(o *oidc.Options) { o.Tenants = []string{personal} }, nil, msal.ErrIDTokenIssuer},
		{"a personal account", map[string]any{"iss": host + "/" + personal + "/v2.0", "tid": personal}, nil, nil, nil},
		{"a personal account at organizations", map[string]any{"iss": host + "/" + personal + "/v2.0", "tid": personal},
			func(o *oidc.Options) { o.Authority = host + "/Organizations/" }, nil, msal.ErrIDTokenIssuer},
		{"another application's", map[string]any{"aud": "other"}, nil, nil, msal.ErrIDTokenAudience},
		{"for several, given to another", map[string]any{"aud": []string{"app", "other"}, "azp": "other"}, nil, nil, msal.ErrIDTokenAudience},
		{"not the caller's application", nil, nil, &msal.IDTokenChecks{ClientID: "other"}, msal.ErrIDTokenAudience},
		{"another nonce", nil, nil, &msal.IDTokenChecks{Nonce: "n-2"}, msal.ErrIDTokenNonce},
		{"no nonce", map[string]any{"nonce": nil}, nil, &msal.IDTokenChecks{Nonce: "n-1"}, msal.ErrIDTokenNonce},
		{"expired", map[string]any{"exp": now.Add(-3 * time.Minute).Unix()}, nil, nil, msal.ErrIDTokenTime},
		{"expired, within the skew", map[string]any{"exp": now.Add(-time.Minute).Unix()}, nil, nil, nil},
		{"not yet valid", map[string]any{"nbf": now.Add(3 * time.Minute).Unix()}, nil, nil, msal.ErrIDTokenTime},
		{"by the caller's clock", nil, nil, &msal.IDTokenChecks{Now: now.Add(2 * time.Hour)}, msal.ErrIDTokenTime},
		{"no subject", map[string]any{"sub": nil}, nil, nil, msal.ErrIDTokenMalformed},
	} {
		t.Run("S8 "+c.name, func(t *testing.T) {
			t.Parallel()
			got, err := p.verifier(t, c.options).VerifyIDToken(t.Context(), token(t, "k-0", 0, c.change), c.checks)
			wantKind(t, err, c.want)
			if (got != nil) != (c.want == nil) || got != nil && got.Subject != "me" {
				t.Errorf("the token is %v", got)
			}
		})
	}
}

// wantKind expects a typed error, or none.
func wantKind(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Errorf("%v, want %v", err, want)
	}
	if _, typed := errors.AsType[*msal.IDTokenError](err); want != nil && !typed {
		t.Errorf("%T", err)
	}
}

// TestVerifyIDTokenForged has what others than the issuer made.
func TestVerifyIDTokenForged(t *testing.T) {
	t.Parallel()
	p := newIDP()
	key, other := keys()[0], keys()[1]
	kid := map[jose.HeaderKey]any{"kid": "k-0"}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := token(t, "k-0", 0, nil)
	parts := strings.Split(good, ".")
	part := base64.RawURLEncoding.EncodeToString
	header := func(text string) string { return part([]byte(text)) + "." + parts[1] + "." + parts[2] }
	mine, err := json.Marshal(jose.JSONWebKey{Key: &other.PublicKey, KeyID: "k-0"})
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{
		"none":                           part([]byte(`{"alg":"none","kid":"k-0"}`)) + "." + parts[1] + ".",
		"None":                           part([]byte(`{"alg":"None","kid":"k-0"}`)) + "." + parts[1] + ".",
		"no algorithm":                   header(`{"kid":"k-0"}`),
		"an algorithm of another type":   header(`{"alg":["RS256"],"kid":"k-0"}`),
		"the algorithm in lower case":    header(`{"alg":"rs256","kid":"k-0"}`),
		"HS256 with the public key, DER": sign(t, jose.HS256, der, kid, claims(nil)),
		"HS256 with the public key, PEM": sign(t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), kid, claims(nil)),
		"HS256 with the modulus":         sign(t, jose.HS256, key.N.Bytes(), kid, claims(nil)),
		"HS256 said to be RS256":         header(`{"alg":"HS256","Alg":"RS256","kid":"k-0"}`),
		"another's key, the same id":     token(t, "k-0", 1, nil),
		"another's key, no id":           token(t, "", 1, nil),
		"an unknown key":                 token(t, "k-9", 1, nil),
		"a known key, an unknown id":     token(t, "k-9", 0, nil),
		"a key of its own":               sign(t, jose.RS256, other, map[jose.HeaderKey]any{"jwk": json.RawMessage(mine), "kid": "k-0"}, claims(nil)),
		"keys from elsewhere":            sign(t, jose.RS256, other, map[jose.HeaderKey]any{"jku": "https://evil.example/keys", "kid": "k-0"}, claims(nil)),
		"an algorithm nobody announced":  sign(t, jose.PS256, key, kid, claims(nil)),
		"another kind of key":            sign(t, jose.ES256, curve, kid, claims(nil)),
		"other claims":                   parts[0] + "." + part(claims(map[string]any{"sub": "admin"})) + "." + parts[2],
		"a signature cut short":          good[:len(good)-4],
		"no signature":                   parts[0] + "." + parts[1] + ".",
		"what nobody understands":        header(`{"alg":"RS256","kid":"k-0","crit":["x"],"x":1}`),
	} {
		t.Run("S8 "+name, func(t *testing.T) {
			t.Parallel()
			got, err := p.verifier(t, nil).VerifyIDToken(t.Context(), raw, nil)
			wantKind(t, err, msal.ErrIDTokenSignature)
			if got != nil {
				t.Errorf("took it: %+v", got)
			}
		})
	}
}

// TestVerifyIDTokenMalformed has what isn't a token at all, or several.
func TestVerifyIDTokenMalformed(t *testing.T) {
	t.Parallel()
	p := newIDP()
	good := token(t, "k-0", 0, nil)
	parts := strings.Split(good, ".")
	evil := base64.RawURLEncoding.EncodeToString(claims(map[string]any{"sub": "admin"}))
	// A genuine signature in the JSON form, with a second payload between the
	// only two dots: what is verified isn't what would be read.
	confused := fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q,"x":".%s."}`, parts[0], parts[1], parts[2], evil)
	for name, raw := range map[string]string{
		"nothing": "", "two parts": parts[0] + "." + parts[1], "four parts": good + ".x", "the JSON form": confused,
		"the JSON form, alone": strings.ReplaceAll(confused, "."+evil+".", ""), "a line break": strings.Replace(good, ".", ".\n", 1),
		"a space": strings.Replace(good, ".", ". ", 1), "a header that isn't JSON": "e." + parts[1] + "." + parts[2],
		"a header that is a list": "W10." + parts[1] + "." + parts[2], "a header that is null": "bnVsbA." + parts[1] + "." + parts[2],
		"an encrypted one": "a.b.c.d.e", "large": good + strings.Repeat("A", 2<<20), "dots": strings.Repeat(".", 3<<20),
	} {
		t.Run("S8 "+name, func(t *testing.T) {
			t.Parallel()
			got, err := p.verifier(t, nil).VerifyIDToken(t.Context(), raw, nil)
			wantKind(t, err, msal.ErrIDTokenMalformed)
			if got != nil || len(err.Error()) > 300 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	if n := p.count("configuration"); n != 0 {
		t.Errorf("asked %d times for the configuration", n)
	}
}

// TestVerifyOwners: one list has the keys of several issuers, and none may sign
// for another.
func TestVerifyOwners(t *testing.T) {
	t.Parallel()
	work, home := host+"/"+tenant+"/v2.0", host+"/"+personal+"/v2.0"
	asPersonal := map[string]any{"iss": home, "tid": personal}
	for _, c := range []struct {
		name   string
		keys   []map[string]any
		id     string
		n      int
		change map[string]any
		want   error
	}{
		{"each tenant's", []map[string]any{public("k-0", 0, template)}, "k-0", 0, nil, nil},
		{"its own", []map[string]any{public("k-0", 0, template), public("k-1", 1, home)}, "k-1", 1, asPersonal, nil},
		{"another one's", []map[string]any{public("k-0", 0, template), public("k-1", 1, home)}, "k-1", 1, nil, msal.ErrIDTokenSignature},
		{"another one's, without its id", []map[string]any{public("k-0", 0, template), public("k-1", 1, home)}, "", 1, nil, msal.ErrIDTokenSignature},
		{"another one's, under an id of two", []map[string]any{public("k-0", 0, work), public("k-0", 1, home)}, "k-0", 1, nil, msal.ErrIDTokenSignature},
		{"nobody in particular's", []map[string]any{public("k-0", 0, ""), public("k-1", 1, home)}, "k-0", 0, nil, nil},
		{"nobody says", []map[string]any{public("k-0", 0, "")}, "", 0, nil, nil},
	} {
		t.Run("S8 "+c.name, func(t *testing.T) {
			t.Parallel()
			p := newIDP()
			p.keys = c.keys
			_, err := p.verifier(t, nil).VerifyIDToken(t.Context(), token(t, c.id, c.n, c.change), nil)
			wantKind(t, err, c.want)
		})
	}
	t.Run("S8 an id in two letter cases", func(t *testing.T) {
		t.Parallel()
		p := newIDP()
		p.keys = []map[string]any{public("k-0", 0, template), public("k-1", 1, home)}
		raw := sign(t, jose.RS256, keys()[1], map[jose.HeaderKey]any{"kid": "k-1", "KID": "k-0"}, claims(nil))
		_, err := p.verifier(t, nil).VerifyIDToken(t.Context(), raw, nil)
		wantKind(t, err, msal.ErrIDTokenSignature)
	})
}

func TestVerifyOtherAlgorithms(t *testing.T) {
	t.Parallel()
	p := newIDP()
	p.config = map[string]any{"id_token_signing_alg_values_supported": []string{"HS256", "none", "PS512"}}
	kid := map[jose.HeaderKey]any{"kid": "k-0"}
	if _, err := p.verifier(t, nil).VerifyIDToken(t.Context(), sign(t, jose.PS512, keys()[0], kid, claims(nil)), nil); err != nil {
		t.Error(err)
	}
	_, err := p.verifier(t, nil).VerifyIDToken(t.Context(), sign(t, jose.HS256, keys()[0].N.Bytes(), kid, claims(nil)), nil)
	wantKind(t, err, msal.ErrIDTokenSignature)
	_, err = p.verifier(t, nil).VerifyIDToken(t.Context(), token(t, "k-0", 0, nil), nil)
	wantKind(t, err, msal.ErrIDTokenSignature)
}

func FuzzVerifyIDToken(f *testing.F) {
	p := newIDP()
	v := p.verifier(f, nil)
	good := token(f, "k-0", 0, nil)
	parts := strings.Split(good, ".")
	for _, seed := range []string{good, parts[0] + "..", `{"payload":"` + parts[1] + `"}`, "eyJhbGciOiJub25lIn0." + parts[1] + "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := v.VerifyIDToken(t.Context(), raw, nil)
		if _, typed := errors.AsType[*msal.IDTokenError](err); err != nil && !typed || got == nil && err == nil {
			t.Fatalf("%v, %v", got, err)
		}
		if got != nil && !strings.HasPrefix(raw, parts[0]+"."+parts[1]+".") {
			t.Errorf("took %q", raw)
		}
	})
}
