package msal_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// substituting sends token requests with another value of one field.
type substituting struct {
	msal.Doer

	field, value string
}

func (s substituting) Do(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPost {
		return s.Doer.Do(req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	if form.Has(s.field) {
		form.Set(s.field, s.value)
	}
	text := form.Encode()
	again := req.Clone(req.Context())
	again.Body, again.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return s.Doer.Do(again)
}

// certified is a certificate with its key.
type certified struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

// keys are made once, since that takes longer than a test.
var testKeys = [3]func() *rsa.PrivateKey{onceKey(), onceKey(), onceKey()}

func onceKey() func() *rsa.PrivateKey {
	return sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
}

// validity is from when until when, counted from now.
type validity struct{ from, until time.Duration }

var validNow = validity{-time.Hour, time.Hour}

// certify makes a certificate for the nth key; by is who signs it, and nil itself.
func certify(t *testing.T, n int, v validity, by *certified) certified {
	t.Helper()
	key := testKeys[n]()
	if by == nil {
		by = &certified{key: key, cert: &x509.Certificate{Subject: pkix.Name{CommonName: "issuer of itself"}}}
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: fmt.Sprintf("app %d", n)},
		NotBefore: time.Now().Add(v.from), NotAfter: time.Now().Add(v.until), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certified{cert, key}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (i certified) certPEM() string { return block("CERTIFICATE", i.cert.Raw) }

func (i certified) keyPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func (i certified) sha1() string {
	hash := sha1.Sum(i.cert.Raw)
	return hex.EncodeToString(hash[:])
}

func (i certified) sha256() string {
	hash := sha256.Sum256(i.cert.Raw)
	return hex.EncodeToString(hash[:])
}

// registered lets the fake know the application "web" by certificates alone.
func registered(t *testing.T, certs ...*x509.Certificate) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.srv.AddApp(msaltest.App{ClientID: "web", Certificates: certs})
	return w
}

// accepted asks for a token of the application, with a cache of its own.
func (w *world) accepted(c msal.Credential) error {
	w.Helper()
	client, err := msal.NewConfidential("web", c, w.options(nil))
	if err != nil {
		w.Fatal(err)
	}
	_, err = client.ForClient(w.Context(), []string{"api://orders/.default"}, nil)
	return err
}

// wantAccepted fails where the fake refuses the credential.
func (w *world) wantAccepted(c msal.Credential, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	if err := w.accepted(c); err != nil {
		w.Error(err)
	}
}

// proof takes the last client assertion apart.
func (w *world) proof() (header, claims map[string]any) {
	w.Helper()
	assertion := w.last(msaltest.KindToken).Form.Get("client_assertion")
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		w.Fatalf("%q isn't a JWT", assertion)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			w.Fatal(err)
		}
	}
	return header, claims
}

// wantCredentialError wants an error of a kind that gives nothing away.
func wantCredentialError(t *testing.T, err, kind error, secrets ...string) {
	t.Helper()
	if _, ok := errors.AsType[*msal.CredentialError](err); !ok || !errors.Is(err, msal.ErrCredential) || !errors.Is(err, kind) {
		t.Fatalf("error is %v, want %v", err, kind)
	}
	for _, secret := range secrets {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error has the secret: %v", err)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than a line: %v", err)
	}
}

func base64URL(hexadecimal string) string {
	raw, err := hex.DecodeString(hexadecimal)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// signedBy is a JWT signed by RS256.
func signedBy(t *testing.T, key *rsa.PrivateKey, header, claims map[string]any) string {
	t.Helper()
	var parts []string
	for _, part := range []map[string]any{header, claims} {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	signed := strings.Join(parts, ".")
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// exampleCertificate is a key with its certificate, as a file has them.
func exampleCertificate() []byte {
	key := testKeys[0]()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return []byte(block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)) + block("CERTIFICATE", der))
}
