//go:build redis

package redis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

// authority signs certificates for the tests.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.issue(t, "ca")
	return a
}

// issue writes a certificate and its key to files of that name, signed by the
// authority, or by itself where that is what is made.
func (a *authority) issue(t testing.TB, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"redis.example"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:        a.cert == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.write(t, name+".crt", "CERTIFICATE", der)
	a.write(t, name+".key", "PRIVATE KEY", secret)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a *authority) write(t testing.TB, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(a.file(name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const (
	appUser     = "msalext"
	appPassword = "pass-word of the user/1"
	adminSecret = "password-of-the-admin"
)

// rights are what the documentation says that the user needs.
var rights = strings.Fields("resetkeys resetchannels ~test* &test* -@all +@read +@write +@scripting +@pubsub +ping +time")

// startSecure starts a server that speaks TLS alone and wants a client's
// certificate and a password, with a user who may do what is needed and no more.
func startSecure(t testing.TB, a *authority, more ...string) *server {
	t.Helper()
	acl := filepath.Join(t.TempDir(), "users.acl")
	text := "user default off\nuser " + appUser + " on #" + sha256Hex(appPassword) + " " + strings.Join(rights, " ") +
		"\nuser admin on >" + adminSecret + " ~* &* +@all\n"
	if err := os.WriteFile(acl, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.issue(t, "server")
	a.issue(t, "client")
	s := &server{dir: t.TempDir(), port: testproc.FreePort(t), tls: true, args: append([]string{
		"--port", "0", "--aclfile", acl, "--tls-cert-file", a.file("server.crt"), "--tls-key-file", a.file("server.key"),
		"--tls-ca-cert-file", a.file("ca.crt"), "--tls-auth-clients", "yes",
	}, more...)}
	s.start(t)
	return s
}

// restrict makes a user on a server without TLS who may do what the documentation
// says, and more, and no more.
func restrict(t testing.TB, s *server, more ...string) {
	t.Helper()
	args := []any{"acl", "setuser", appUser, "reset", "on", ">" + appPassword}
	for _, right := range append(rights, more...) {
		args = append(args, right)
	}
	s.do(t, args...)
}

func secureSettings(t testing.TB, s *server, a *authority) (backend.Settings, map[string]backend.Secret) {
	t.Helper()
	return backend.Settings{
			"address": s.address(), "username": appUser, "tls-ca-file": a.file("ca.crt"), "tls-cert-file": a.file("client.crt"),
		}, map[string]backend.Secret{
			"password": backend.Secret(appPassword), "tls-key": a.read(t, "client.key"),
		}
}
