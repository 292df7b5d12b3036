package msaltest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/msal/msaltest"
)

var appScope = []string{"https://graph.microsoft.com/.default"}

// aKey is an RSA key; making one takes long enough to share it.
var aKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// certify makes a certificate for a key; without an issuer it signs itself.
func certify(t *testing.T, name string, key any, public any, issuer *x509.Certificate) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: issuer == nil, BasicConstraintsValid: true,
	}
	if issuer == nil {
		issuer = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func selfSigned(t *testing.T) *x509.Certificate {
	t.Helper()
	return certify(t, "app", aKey(), aKey().Public(), nil)
}

func withCertificate(t *testing.T, srv *msaltest.Server, key *rsa.PrivateKey, chain []*x509.Certificate, opts ...confidential.Option) confidential.Client {
	t.Helper()
	credential, err := confidential.NewCredFromCert(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	opts = append(opts, confidential.WithHTTPClient(srv.Client()), confidential.WithInstanceDiscovery(false))
	client, err := confidential.New(srv.Authority(), clientID, credential, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	ca, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	root := certify(t, "root", ca, ca.Public(), nil)
	issued := certify(t, "app.contoso.example", ca, aKey().Public(), root)
	roots := x509.NewCertPool()
	roots.AddCert(root)
	own := selfSigned(t)
	for _, tt := range []struct {
		name  string
		app   msaltest.App
		chain []*x509.Certificate
		x5c   bool
		want  string
	}{
		{"registered", msaltest.App{Certificates: []*x509.Certificate{own}}, []*x509.Certificate{own}, false, ""},
		{"another one registered", msaltest.App{Certificates: []*x509.Certificate{root}}, []*x509.Certificate{own}, false, "AADSTS700027"},
		{"a secret registered", msaltest.App{Secrets: []string{"s"}}, []*x509.Certificate{own}, false, "AADSTS700027"},
		{"by its subject", msaltest.App{SubjectName: "app.contoso.example", Roots: roots}, []*x509.Certificate{issued, root}, true, ""},
		{"by its subject, not sent", msaltest.App{SubjectName: "app.contoso.example", Roots: roots}, []*x509.Certificate{issued, root}, false, "AADSTS700027"},
		{"by another subject", msaltest.App{SubjectName: "other", Roots: roots}, []*x509.Certificate{issued, root}, true, "AADSTS700027"},
		{"by its subject, from nobody", msaltest.App{SubjectName: "app", Roots: roots}, []*x509.Certificate{own}, true, "AADSTS700027"},
		{"nothing registered", msaltest.App{}, []*x509.Certificate{own}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, nil)
			tt.app.ClientID = clientID
			srv.AddApp(tt.app)
			var opts []confidential.Option
			if tt.x5c {
				opts = append(opts, confidential.WithX5C())
			}
			_, err := withCertificate(t, srv, aKey(), tt.chain, opts...).AcquireTokenByCredential(deadline(t), appScope)
			if tt.want == "" && err != nil {
				t.Error(err)
			} else if tt.want != "" {
				wantRefusal(t, err, "invalid_client", tt.want)
			}
		})
	}
}

func thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// asserted makes an assertion signed by RS256, whatever its header says.
func asserted(t *testing.T, key *rsa.PrivateKey, c *x509.Certificate, header, claims map[string]any) string {
	t.Helper()
	sum := sha256.Sum256(c.Raw)
	full := map[string]any{"alg": "RS256", "typ": "JWT", "x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}
	maps.Copy(full, header)
	var parts []string
	for _, part := range []map[string]any{full, claims} {
		data, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(data))
	}
	unsigned := strings.Join(parts, ".")
	digest := sha256.Sum256([]byte(unsigned))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return unsigned + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// TestAssertions has assertions that no MSAL would make.
func TestAssertions(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	own := selfSigned(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := certify(t, "curve", curve, curve.Public(), nil)
	srv.AddApp(msaltest.App{ClientID: clientID, Certificates: []*x509.Certificate{own, other}})
	endpoint := srv.Authority() + "/oauth2/v2.0/token"
	now := time.Now().Unix()
	for _, tt := range []struct {
		name   string
		header map[string]any
		claims map[string]any
		want   string
	}{
		{"good", nil, nil, ""},
		{"by SHA-1", map[string]any{"x5t#S256": "", "x5t": thumbprint(own)}, nil, ""},
		{"PS256", map[string]any{"alg": "PS256"}, nil, "AADSTS700027"}, // it is signed otherwise
		{"a key that isn't RSA", map[string]any{"x5t#S256": "", "x5t": thumbprint(other)}, nil, "AADSTS700027"},
		{"too old", nil, map[string]any{"exp": now - 600}, "AADSTS700024"},
		{"too early", nil, map[string]any{"nbf": now + 600}, "AADSTS700024"},
		{"for another", nil, map[string]any{"aud": "https://evil.example/token"}, "AADSTS700023"},
		{"by another", nil, map[string]any{"iss": "other"}, "AADSTS700021"},
		{"about another", nil, map[string]any{"sub": "other"}, "AADSTS700021"},
		{"without an id", nil, map[string]any{"jti": ""}, "AADSTS50027"},
		{"no algorithm", map[string]any{"alg": "none"}, nil, "AADSTS700027"},
		{"no thumbprint", map[string]any{"x5t": "", "x5t#S256": ""}, nil, "AADSTS700027"},
	} {
		claims := map[string]any{"aud": endpoint, "iss": clientID, "sub": clientID, "jti": "1", "nbf": now, "exp": now + 60}
		maps.Copy(claims, tt.claims)
		_, answer := postToken(t, srv, map[string]string{
			"grant_type": "client_credentials", "client_id": clientID, "scope": appScope[0],
			"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
			"client_assertion":      asserted(t, aKey(), own, tt.header, claims),
		})
		if got, _ := answer["error_description"].(string); !strings.HasPrefix(got, tt.want) || (tt.want == "") != (answer["access_token"] != nil) {
			t.Errorf("%s: %v %s, want %s", tt.name, answer["error"], got, tt.want)
		}
	}
	_, answer := postToken(t, srv, map[string]string{"grant_type": "client_credentials", "client_id": clientID, "client_assertion": "x"})
	if answer["error"] != "invalid_request" {
		t.Errorf("without its type: %v", answer)
	}
}

func TestRegisteredSecret(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	srv.AddApp(msaltest.App{ClientID: clientID, Secrets: []string{"old", "new"}, RedirectURIs: []string{redirectURI}})
	for secret, want := range map[string]string{"old": "", "new": "", "guess": "AADSTS7000215"} {
		_, err := newConfidential(t, srv, secret).AcquireTokenByCredential(deadline(t), appScope)
		if want == "" && err != nil {
			t.Error(err)
		} else if want != "" {
			wantRefusal(t, err, want)
		}
	}
	if _, answer := postToken(t, srv, map[string]string{"grant_type": "refresh_token", "client_id": clientID, "refresh_token": "x"}); answer["error"] != "invalid_client" {
		t.Errorf("a confidential client without credential was told %v", answer["error"])
	}
	page := srv.Authority() + "/oauth2/v2.0/authorize?response_type=code&scope=openid&client_id=" + clientID + "&redirect_uri="
	if _, err := srv.Authorize(page+redirectURI, alice); err != nil {
		t.Error(err)
	}
	if _, err := srv.Authorize(page+"https://evil.example/", alice); err == nil {
		t.Error("a redirect URI that isn't registered was used")
	}
}

func TestOnBehalfOfOthers(t *testing.T) {
	t.Parallel()
	srv, other := start(t, nil), start(t, nil)
	srv.AddApp(msaltest.App{ClientID: clientID, Identifiers: []string{"api://orders"}})
	api := newConfidential(t, srv, "secret")
	issued := func(s *msaltest.Server, claims map[string]any) string {
		token, err := s.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	soon := time.Now().Unix() + 60
	for _, tt := range []struct{ name, token, want string }{
		{"for the API", issued(srv, map[string]any{"aud": "api://orders", "upn": alice, "exp": soon}), ""},
		{"for the API by its id", issued(srv, map[string]any{"aud": clientID, "upn": alice, "exp": soon}), ""},
		{"for another API", issued(srv, map[string]any{"aud": "api://letters", "upn": alice, "exp": soon}), "AADSTS500131"},
		{"too old", issued(srv, map[string]any{"aud": "api://orders", "upn": alice, "exp": soon - 61}), "AADSTS50013"},
		{"of an application", issued(srv, map[string]any{"aud": "api://orders", "exp": soon}), "AADSTS50013"},
		{"changed", issued(srv, map[string]any{"aud": "api://orders", "upn": alice, "exp": soon}) + "AAAA", "AADSTS50013"},
	} {
		result, err := api.AcquireTokenOnBehalfOf(deadline(t), tt.token, scopes)
		if tt.want != "" {
			wantRefusal(t, err, "invalid_grant", tt.want)
		} else if err != nil || result.Account.PreferredUsername != alice {
			t.Errorf("%s: %q, %v", tt.name, result.Account.PreferredUsername, err)
		}
	}
	if err := other.RotateKeys(true); err != nil {
		t.Fatal(err)
	}
	_, err := api.AcquireTokenOnBehalfOf(deadline(t), issued(other, map[string]any{"aud": "api://orders", "upn": alice, "exp": soon}), scopes)
	wantRefusal(t, err, "invalid_grant", "AADSTS50013")
}
