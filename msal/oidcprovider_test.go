//go:build oidcprovider

package msal_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
)

// provider is npm's oidc-provider in a process of its own; ci/oidc-provider/run
// installs it. What it doesn't know of Entra ID, MSAL has to do without.
type provider struct {
	*testing.T
	authority string
	roots     *x509.CertPool
	key       *rsa.PrivateKey // of the application that has a certificate
	keyPEM    []byte
}

const providerSecret = "a secret of more than thirty-two characters"

func startProvider(t *testing.T) *provider {
	t.Helper()
	script := os.Getenv("MSALEXT_OIDC_PROVIDER")
	if script == "" {
		t.Fatal("MSALEXT_OIDC_PROVIDER isn't set: run ci/oidc-provider/run")
	}
	p := &provider{T: t, roots: x509.NewCertPool()}
	cert, key := p.tls()
	p.key, p.keyPEM = p.credential()
	config, err := json.Marshal(map[string]any{"cert": cert, "key": key, "clients": p.clients()})
	if err != nil {
		t.Fatal(err)
	}
	p.authority = "https://127.0.0.1:" + p.run(script, config) + "/tenant"
	return p
}

// run starts the provider and returns its port.
func (p *provider) run(script string, config []byte) string {
	p.Helper()
	node := exec.CommandContext(p.Context(), "node", script)
	node.Stderr = p.Output()
	in, err1 := node.StdinPipe()
	out, err2 := node.StdoutPipe()
	if err := errors.Join(err1, err2, node.Start()); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = node.Wait()
	})
	if _, err := in.Write(append(config, '\n')); err != nil {
		p.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if port, ok := strings.CutPrefix(lines.Text(), "port "); ok {
			return port
		}
		p.Log(lines.Text())
	}
	p.Fatal("the provider ended")
	return ""
}

func (p *provider) clients() []map[string]any {
	app := func(id string, more map[string]any) map[string]any {
		client := map[string]any{
			"client_id": id, "response_types": []string{"code"}, "redirect_uris": []string{"https://app.example/authorized"},
			"grant_types": []string{"authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"},
		}
		for name, value := range more {
			client[name] = value
		}
		return client
	}
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes())
	jwk := map[string]any{"kty": "RSA", "use": "sig", "n": base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()), "e": e}
	return []map[string]any{
		app("web", map[string]any{"client_secret": providerSecret, "token_endpoint_auth_method": "client_secret_post"}),
		app("certified", map[string]any{
			"token_endpoint_auth_method": "private_key_jwt", "jwks": map[string]any{"keys": []any{jwk}},
			"token_endpoint_auth_signing_alg": "PS256",
		}),
		app("native", map[string]any{
			"application_type": "native", "token_endpoint_auth_method": "none", "redirect_uris": []string{"http://localhost"},
			"grant_types": []string{"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"},
		}),
	}
}

// tls makes an authority, and a certificate of its for the loopback address.
func (p *provider) tls() (cert, key string) {
	p.Helper()
	ca, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leaf, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		p.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	signed := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "provider"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter,
	}
	rootDER, err1 := x509.CreateCertificate(rand.Reader, root, root, ca.Public(), ca)
	leafDER, err2 := x509.CreateCertificate(rand.Reader, signed, root, leaf.Public(), ca)
	keyDER, err3 := x509.MarshalPKCS8PrivateKey(leaf)
	if err := errors.Join(err1, err2, err3); err != nil {
		p.Fatal(err)
	}
	p.roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// credential makes a key and its certificate, in one PEM text.
func (p *provider) credential() (*rsa.PrivateKey, []byte) {
	p.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(3), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	certDER, err1 := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	keyDER, err2 := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(err1, err2); err != nil {
		p.Fatal(err)
	}
	return key, append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certDER}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
}

func (p *provider) options() *msal.Options {
	return &msal.Options{Authority: p.authority, RootCAs: p.roots, DisableInstanceDiscovery: true}
}
