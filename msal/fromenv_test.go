package msal_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// environment sets what is given, and nothing else of what is read.
func environment(t *testing.T, given map[string]string) {
	t.Helper()
	for _, name := range []string{
		msal.EnvClientID, msal.EnvAuthority, msal.EnvAuthorityHost, msal.EnvTenantID, msal.EnvClientSecret, msal.EnvCertificatePath,
		msal.EnvCertificateThumbprint, msal.EnvClientCertificatePath, msal.EnvClientCertificatePass, msal.EnvSendCertificateChain,
	} {
		t.Setenv(name, given[name])
	}
}

// outside leaves to the environment what it can say.
func (w *world) outside() *msal.Options {
	o := w.options(nil)
	o.Authority = ""
	return o
}

func TestFromEnvFeatures(t *testing.T) {
	w := newWorld(t, nil)
	files := keyFiles(t)
	for name, env := range map[string]map[string]string{
		"S22 secret":                  {"AZURE_CLIENT_SECRET": "secret"},
		"S22 key and thumbprint":      {"AZURE_CERTIFICATE_PATH": files.key, "AZURE_CERTIFICATE_THUMBPRINT": files.thumbprint},
		"S22 key with certificate":    {"AZURE_CERTIFICATE_PATH": files.both},
		"S22 the Azure SDKs' names":   {"AZURE_CLIENT_CERTIFICATE_PATH": files.both},
		"S22 the chain is sent along": {"AZURE_CLIENT_CERTIFICATE_PATH": files.both, "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "TRUE"},
	} {
		t.Run(name, func(t *testing.T) {
			env["AZURE_CLIENT_ID"], env["AZURE_AUTHORITY"] = "from-env", w.srv.Authority()
			environment(t, env)
			c, err := msal.ConfidentialFromEnv(w.outside())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.ForClient(t.Context(), []string{"api://orders/.default"}, nil); err != nil {
				t.Fatal(err)
			}
			form := w.last(msaltest.KindTokenClient).Form
			if form.Get("client_id") != "from-env" || form.Get("client_secret") != env["AZURE_CLIENT_SECRET"] {
				t.Errorf("sent %s", form.Get("client_id"))
			}
			header, _, _ := strings.Cut(form.Get("client_assertion"), ".")
			text, err := msal.DecodePart(header)
			if chain := strings.Contains(string(text), `"x5c"`); err != nil || chain != (env["AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"] != "") {
				t.Errorf("the assertion's header is %s: %v", text, err)
			}
		})
	}
}

func TestFromEnvAuthority(t *testing.T) {
	w := newWorld(t, nil)
	host := w.srv.URL()
	for name, c := range map[string]struct {
		env  map[string]string
		o    string
		want string
	}{
		"S22 whole":            {map[string]string{"AZURE_AUTHORITY": host + "/a.example", "AZURE_TENANT_ID": "b.example"}, "", "/a.example/"},
		"S22 host and tenant":  {map[string]string{"AZURE_AUTHORITY_HOST": host + "/", "AZURE_TENANT_ID": "b.example"}, "", "/b.example/"},
		"S22 bare host":        {map[string]string{"AZURE_AUTHORITY_HOST": strings.TrimPrefix(host, "https://"), "AZURE_TENANT_ID": "b.example"}, "", "/b.example/"},
		"S22 host alone":       {map[string]string{"AZURE_AUTHORITY_HOST": host}, "", "/common/"},
		"S22 the program's is": {map[string]string{"AZURE_AUTHORITY": host + "/a.example"}, host + "/c.example", "/c.example/"},
	} {
		t.Run(name, func(t *testing.T) {
			c.env["AZURE_CLIENT_ID"] = "from-env"
			environment(t, c.env)
			o := w.outside()
			o.Authority = c.o
			p, err := msal.PublicFromEnv(o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.BeginDevice(t.Context(), scopes, ""); err != nil {
				t.Fatal(err)
			}
			if path := w.last(msaltest.KindDevice).Path; !strings.HasPrefix(path, c.want) {
				t.Errorf("asked at %s", path)
			}
		})
	}
	t.Run("S22 the tenant alone", func(t *testing.T) {
		environment(t, map[string]string{"AZURE_CLIENT_ID": "from-env", "AZURE_TENANT_ID": "b.example"})
		p, err := msal.PublicFromEnv(&msal.Options{HTTPClient: w.srv.CloudClient()})
		if err != nil {
			t.Fatal(err)
		}
		uri, err := p.AuthCodeURL(t.Context(), msal.AuthCodeOptions{RedirectURI: clientRedirect, Scopes: scopes}, "")
		if err != nil || !strings.HasPrefix(uri, msal.AuthorityPublic+"b.example/") || !strings.Contains(uri, "client_id=from-env") {
			t.Errorf("%s, %v", uri, err)
		}
	})
}

func TestFromEnvMissing(t *testing.T) {
	id := map[string]string{"AZURE_CLIENT_ID": "from-env"}
	with := func(name, value string) map[string]string {
		return map[string]string{"AZURE_CLIENT_ID": "from-env", name: value}
	}
	broken := filepath.Join(t.TempDir(), "broken.pem")
	if err := os.WriteFile(broken, []byte("nothing of use"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env      map[string]string
		variable string
		want     error
	}{
		"S22 nothing":               {nil, "AZURE_CLIENT_ID", msal.ErrNotSet},
		"S22 no credential":         {id, "AZURE_CLIENT_SECRET", msal.ErrNotSet},
		"S22 a file that isn't":     {with("AZURE_CERTIFICATE_PATH", "/nowhere/at.all"), "AZURE_CERTIFICATE_PATH", fs.ErrNotExist},
		"S22 a file of another use": {with("AZURE_CLIENT_CERTIFICATE_PATH", broken), "AZURE_CLIENT_CERTIFICATE_PATH", msal.ErrCredential},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, c.env)
			_, err := msal.ConfidentialFromEnv(nil)
			e, ok := errors.AsType[*msal.EnvError](err)
			if !ok || e.Name != c.variable || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.variable) {
				t.Errorf("%v", err)
			}
			_, err = msal.PublicFromEnv(nil)
			if e, ok := errors.AsType[*msal.EnvError](err); ok != (c.env == nil) || ok && e.Name != "AZURE_CLIENT_ID" {
				t.Errorf("a public client: %v", err)
			}
		})
	}
}

// envFiles are a key and its certificate.
type envFiles struct{ key, both, thumbprint string }

func keyFiles(t *testing.T) envFiles {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	sum := sha1.Sum(der) // what Entra ID names certificates by
	dir := t.TempDir()
	f := envFiles{filepath.Join(dir, "key.pem"), filepath.Join(dir, "both.pem"), hex.EncodeToString(sum[:])}
	if err := errors.Join(os.WriteFile(f.key, keyPEM, 0o600), os.WriteFile(f.both, append(keyPEM, certPEM...), 0o600)); err != nil {
		t.Fatal(err)
	}
	return f
}
