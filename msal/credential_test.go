package msal_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

func TestSecret(t *testing.T) {
	t.Parallel()
	t.Run("A14 client secret", func(t *testing.T) {
		w := newWorld(t, nil)
		w.srv.AddApp(msaltest.App{ClientID: "web", Secrets: []string{"the secret"}})
		w.wantAccepted(msal.Secret("the secret"))
		wrong, err := msal.Secret("a guess")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.accepted(wrong); !errors.Is(err, msal.ErrInvalidClient) || strings.Contains(err.Error(), "a guess") {
			t.Errorf("a wrong secret: %v", err)
		}
	})
	t.Run("A14 no secret", func(t *testing.T) {
		_, err := msal.Secret("")
		wantCredentialError(t, err, msal.ErrCredential)
		if _, err := msal.NewConfidential("web", msal.Credential{}, newWorld(t, nil).options(nil)); err == nil {
			t.Error("a client without a credential was made")
		}
	})
	t.Run("A14 printed without the secret", func(t *testing.T) {
		c, err := msal.Secret("the secret")
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := json.Marshal(struct{ C msal.Credential }{c})
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("", "credential", c)
		for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%#v %+v %s %d", c, &c, c, c), string(encoded), log.String()} {
			if strings.Contains(text, "the secret") || !strings.Contains(text, "client secret") {
				t.Errorf("printed as %s", text)
			}
		}
	})
}

func TestCertificatePEM(t *testing.T) {
	t.Parallel()
	root := certify(t, 1, validNow, nil)
	app := certify(t, 0, validNow, &root)
	pkcs1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(app.key))
	for name, text := range map[string]string{
		"A16 key first":          app.keyPEM(t) + app.certPEM(),
		"A16 certificate first":  app.certPEM() + app.keyPEM(t),
		"A16 PKCS 1":             pkcs1 + app.certPEM(),
		"A16 issuer first":       root.certPEM() + app.certPEM() + app.keyPEM(t),
		"A16 text between":       "Bag Attributes\n  localKeyID: 01\n" + app.keyPEM(t) + "subject=CN = app\n" + app.certPEM(),
		"A16 other blocks":       block("DH PARAMETERS", []byte{1}) + app.keyPEM(t) + app.certPEM(),
		"A16 lines of Windows":   strings.ReplaceAll(app.certPEM()+app.keyPEM(t), "\n", "\r\n"),
		"A16 without a last end": app.keyPEM(t) + strings.TrimSpace(app.certPEM()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := registered(t, app.cert)
			w.wantAccepted(msal.CertificatePEM([]byte(text), nil))
			header, _ := w.proof()
			if header["alg"] != "PS256" || header["x5t#S256"] == nil || header["x5c"] != nil {
				t.Errorf("header %v", header)
			}
		})
	}
	t.Run("A16 option for files", func(t *testing.T) {
		_, err := msal.CertificatePEM([]byte(app.certPEM()), &msal.CertificateOptions{KeyFile: "tls.key"})
		wantCredentialError(t, err, msal.ErrCredential)
	})
	t.Run("A16 unregistered", func(t *testing.T) {
		c, err := msal.CertificatePEM([]byte(app.keyPEM(t)+app.certPEM()), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := registered(t, root.cert).accepted(c); !errors.Is(err, msal.ErrInvalidClient) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestCertificatePFX(t *testing.T) {
	t.Parallel()
	root := certify(t, 1, validNow, nil)
	app := certify(t, 0, validNow, &root)
	for name, c := range map[string]struct {
		how        *pkcs12.Encoder
		passphrase string
	}{
		"A16 PFX":                            {pkcs12.Modern, "correct horse"},
		"A16 PFX of 2026":                    {pkcs12.Modern2026, "correct horse"},
		"A16 PFX, old ciphers":               {pkcs12.LegacyDES, "correct horse"},
		"A16 PFX, older ciphers":             {pkcs12.LegacyRC2, "correct horse"},
		"A16 PFX, empty passphrase":          {pkcs12.Modern, ""},
		"A16 PFX without encryption":         {pkcs12.Passwordless, ""},
		"A16 PFX, passphrase not in Latin 1": {pkcs12.Modern, "пароль 密码 ß"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pfx, err := c.how.Encode(app.key, app.cert, []*x509.Certificate{root.cert}, c.passphrase)
			if err != nil {
				t.Fatal(err)
			}
			w := registered(t, app.cert)
			w.wantAccepted(msal.CertificatePFX(pfx, &msal.CertificateOptions{Passphrase: c.passphrase, SendX5C: true}))
			if header, _ := w.proof(); len(header["x5c"].([]any)) != 2 {
				t.Errorf("the chain isn't whole: %v", header["x5c"])
			}
			_, err = msal.CertificatePFX(pfx, &msal.CertificateOptions{Passphrase: "wrong horse"})
			wantCredentialError(t, err, msal.ErrPassphrase, "wrong horse")
		})
	}
}

func TestEncryptedKey(t *testing.T) {
	t.Parallel()
	app := certify(t, 0, validNow, nil)
	const passphrase = "correct horse ß"
	for name, how := range map[string]*pkcs8.Opts{
		"S1 AES-256, PBKDF2":    {Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: 2048, HMACHash: 5}},
		"S1 AES-128, scrypt":    {Cipher: pkcs8.AES128CBC, KDFOpts: pkcs8.ScryptOpts{SaltSize: 8, CostParameter: 1024, BlockSize: 8, ParallelizationParameter: 1}},
		"S1 3DES, PBKDF2, SHA1": {Cipher: pkcs8.TripleDESCBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: 2048, HMACHash: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			der, err := pkcs8.MarshalPrivateKey(app.key, []byte(passphrase), how)
			if err != nil {
				t.Fatal(err)
			}
			text := []byte(block("ENCRYPTED PRIVATE KEY", der) + app.certPEM())
			registered(t, app.cert).wantAccepted(msal.CertificatePEM(text, &msal.CertificateOptions{Passphrase: passphrase}))
			_, err = msal.CertificatePEM(text, &msal.CertificateOptions{Passphrase: "wrong horse"})
			wantCredentialError(t, err, msal.ErrPassphrase, "wrong horse")
			_, err = msal.CertificatePEM(text, nil)
			wantCredentialError(t, err, msal.ErrPassphrase)
		})
	}
	t.Run("S1 not encrypted", func(t *testing.T) {
		registered(t, app.cert).wantAccepted(msal.CertificatePEM([]byte(app.keyPEM(t)+app.certPEM()), &msal.CertificateOptions{Passphrase: passphrase}))
	})
}

func TestThumbprint(t *testing.T) {
	t.Parallel()
	app, other := certify(t, 0, validNow, nil), certify(t, 1, validNow, nil)
	upper := strings.ToUpper(app.sha1())
	var colons []string
	for i := range len(upper) / 2 {
		colons = append(colons, upper[2*i:2*i+2])
	}
	for name, c := range map[string]struct{ thumbprint, alg, field string }{
		"A15 SHA-1":         {app.sha1(), "RS256", "x5t"},
		"A15 upper case":    {upper, "RS256", "x5t"},
		"A15 colons":        {strings.Join(colons, ":"), "RS256", "x5t"},
		"A15 as of Windows": {"\u200e" + strings.Join(colons, " "), "RS256", "x5t"},
		"A15 SHA-256":       {app.sha256(), "PS256", "x5t#S256"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := registered(t, app.cert)
			w.wantAccepted(msal.CertificatePEM([]byte(app.keyPEM(t)), &msal.CertificateOptions{Thumbprint: c.thumbprint}))
			if header, _ := w.proof(); header["alg"] != c.alg || header[c.field] == nil || len(header) != 3 {
				t.Errorf("header %v", header)
			}
			both := []byte(app.keyPEM(t) + app.certPEM())
			w.wantAccepted(msal.CertificatePEM(both, &msal.CertificateOptions{Thumbprint: c.thumbprint}))
		})
	}
	t.Run("A15 of another certificate", func(t *testing.T) {
		for _, thumbprint := range []string{other.sha1(), other.sha256()} {
			_, err := msal.CertificatePEM([]byte(app.keyPEM(t)+app.certPEM()), &msal.CertificateOptions{Thumbprint: thumbprint})
			wantCredentialError(t, err, msal.ErrThumbprint)
			if !strings.Contains(err.Error(), upper) {
				t.Errorf("%v doesn't tell the certificate's", err)
			}
		}
		c, err := msal.CertificatePEM([]byte(app.keyPEM(t)), &msal.CertificateOptions{Thumbprint: other.sha1()})
		if err != nil {
			t.Fatal(err)
		}
		if err := registered(t, app.cert, other.cert).accepted(c); !errors.Is(err, msal.ErrInvalidClient) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("A15 no thumbprint", func(t *testing.T) {
		for _, thumbprint := range []string{"x", app.sha1()[:38], app.sha1() + "00", strings.Repeat("zz", 20)} {
			_, err := msal.CertificatePEM([]byte(app.keyPEM(t)), &msal.CertificateOptions{Thumbprint: thumbprint})
			wantCredentialError(t, err, msal.ErrThumbprint)
		}
		for _, o := range []*msal.CertificateOptions{nil, {Thumbprint: app.sha1(), SendX5C: true}} {
			_, err := msal.CertificatePEM([]byte(app.keyPEM(t)), o)
			wantCredentialError(t, err, msal.ErrPrivateKey)
		}
	})
}

func TestSubjectNameAndIssuer(t *testing.T) {
	t.Parallel()
	root := certify(t, 1, validNow, nil)
	between := certify(t, 2, validNow, &root)
	app := certify(t, 0, validNow, &between)
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	world := func(t *testing.T) *world {
		w := newWorld(t, nil)
		w.srv.AddApp(msaltest.App{ClientID: "web", SubjectName: "app 0", Roots: roots})
		return w
	}
	text := []byte(between.certPEM() + app.keyPEM(t) + app.certPEM())
	for name, claims := range map[string]map[string]any{"A17 x5c": nil, "A17 x5c and client_claims": {"client_ip": "192.0.2.1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world(t)
			w.wantAccepted(msal.CertificatePEM(text, &msal.CertificateOptions{SendX5C: true, Claims: claims}))
			without, err := msal.CertificatePEM(text, &msal.CertificateOptions{Claims: claims})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.accepted(without); !errors.Is(err, msal.ErrInvalidClient) {
				t.Errorf("without x5c: %v", err)
			}
		})
	}
	t.Run("A17 of another issuer", func(t *testing.T) {
		own := certify(t, 0, validNow, nil)
		c, err := msal.CertificatePEM([]byte(own.keyPEM(t)+own.certPEM()), &msal.CertificateOptions{SendX5C: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := world(t).accepted(c); !errors.Is(err, msal.ErrInvalidClient) {
			t.Errorf("error is %v", err)
		}
	})
}

// TestCertificateFlows: each request that a confidential client makes has the
// credential, also those to which MSAL adds none.
func TestCertificateFlows(t *testing.T) {
	t.Parallel()
	app := certify(t, 0, validNow, nil)
	text := []byte(app.keyPEM(t) + app.certPEM())
	for name, o := range map[string]*msal.CertificateOptions{
		"A26 certificate":   nil,
		"A26 client_claims": {Claims: map[string]any{"client_ip": "192.0.2.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := registered(t, app.cert)
			c, err := msal.CertificatePEM(text, o)
			if err != nil {
				t.Fatal(err)
			}
			client, err := msal.NewConfidential("web", c, w.options(nil))
			if err != nil {
				t.Fatal(err)
			}
			r := w.byCodeFlow(client)
			silently(t, client, &msal.SilentOptions{Account: &r.Account, ForceRefresh: true})
			w.behalfOf(client, w.callOf(bob), nil)
			for range 2 {
				if _, err := client.ForClient(t.Context(), []string{"api://orders/.default"}, nil); err != nil {
					t.Error(err)
				}
			}
			if n := w.srv.Count(msaltest.KindTokenClient); n != 1 {
				t.Errorf("%d requests for the application's token", n)
			}
			if _, err := client.Password(t.Context(), scopes, bob, msaltest.DefaultPassword, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCertificateAtADFS: AD FS takes RS256 and x5t alone, with claims of the
// application's or without.
func TestCertificateAtADFS(t *testing.T) {
	t.Parallel()
	app := certify(t, 0, validNow, nil)
	for name, claims := range map[string]map[string]any{"A16 AD FS": nil, "A18 AD FS": {"client_ip": "192.0.2.1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := msal.CertificatePEM([]byte(app.keyPEM(t)+app.certPEM()), &msal.CertificateOptions{Claims: claims})
			if err != nil {
				t.Fatal(err)
			}
			var sent string
			adfs := network(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					body, err := io.ReadAll(req.Body)
					if err != nil {
						return nil, err
					}
					form, err := url.ParseQuery(string(body))
					if err != nil {
						return nil, err
					}
					sent = form.Get("client_assertion")
				}
				return answersAt(req, "https://fs.example", "/adfs", "/adfs/oauth2/token")
			})
			client, err := msal.NewConfidential("web", c, &msal.Options{Authority: "https://fs.example/adfs", DisableInstanceDiscovery: true, HTTPClient: adfs})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.ForClient(t.Context(), orders, nil); err != nil {
				t.Fatal(err)
			}
			text, err := base64.RawURLEncoding.DecodeString(strings.Split(sent, ".")[0])
			if err != nil {
				t.Fatal(err)
			}
			if header := string(text); !strings.Contains(header, `"RS256"`) || !strings.Contains(header, `"x5t":`) {
				t.Errorf("header %s", header)
			}
		})
	}
}

func TestClientClaims(t *testing.T) {
	t.Parallel()
	app := certify(t, 0, validNow, nil)
	text := []byte(app.keyPEM(t) + app.certPEM())
	t.Run("A18 signed into the assertion", func(t *testing.T) {
		w := registered(t, app.cert)
		w.wantAccepted(msal.CertificatePEM(text, &msal.CertificateOptions{Claims: map[string]any{"client_ip": "192.0.2.1", "list": []int{1, 2}}}))
		if _, claims := w.proof(); claims["client_ip"] != "192.0.2.1" || fmt.Sprint(claims["list"]) != "[1 2]" {
			t.Errorf("claims %v", claims)
		}
	})
	t.Run("A18 go before those of the assertion", func(t *testing.T) {
		w := newWorld(t, nil) // which judges no assertion
		all := map[string]any{"aud": "a", "iss": "b", "sub": "c", "exp": 1, "iat": 2, "nbf": 3, "jti": "d"}
		w.wantAccepted(msal.CertificatePEM(text, &msal.CertificateOptions{Claims: all}))
		if _, claims := w.proof(); fmt.Sprint(claims) != fmt.Sprint(map[string]any{"aud": "a", "iss": "b", "sub": "c", "exp": 1, "iat": 2, "nbf": 3, "jti": "d"}) {
			t.Errorf("claims %v", claims)
		}
	})
	t.Run("A18 changed afterwards", func(t *testing.T) {
		w := registered(t, app.cert)
		given := map[string]any{"client_ip": "192.0.2.1"}
		c, err := msal.CertificatePEM(text, &msal.CertificateOptions{Claims: given})
		given["client_ip"] = "192.0.2.2"
		w.wantAccepted(c, err)
		if _, claims := w.proof(); claims["client_ip"] != "192.0.2.1" {
			t.Errorf("claims %v", claims)
		}
	})
	t.Run("A18 not JSON", func(t *testing.T) {
		_, err := msal.CertificatePEM(text, &msal.CertificateOptions{Claims: map[string]any{"f": func() {}}})
		wantCredentialError(t, err, msal.ErrCredential)
	})
	t.Run("A18 each assertion is another", func(t *testing.T) {
		w := registered(t, app.cert)
		c, err := msal.CertificatePEM(text, &msal.CertificateOptions{Claims: map[string]any{"x": 1}})
		seen := map[any]bool{}
		for range 3 {
			w.wantAccepted(c, err)
			_, claims := w.proof()
			seen[claims["jti"]] = true
		}
		if len(seen) != 3 {
			t.Errorf("jti: %v", seen)
		}
	})
}

func TestAssertion(t *testing.T) {
	t.Parallel()
	app := certify(t, 0, validNow, nil)
	t.Run("S3 a text", func(t *testing.T) {
		w := newWorld(t, nil)
		w.wantAccepted(msal.Assertion("made.by.somebody"))
		if form := w.last(msaltest.KindToken).Form; form.Get("client_assertion") != "made.by.somebody" ||
			form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			t.Errorf("sent %q", form.Get("client_assertion_type"))
		}
	})
	t.Run("S3 a function", func(t *testing.T) {
		w := registered(t, app.cert)
		var asked []msal.AssertionOptions
		c, err := msal.AssertionFunc(func(_ context.Context, o msal.AssertionOptions) (string, error) {
			asked = append(asked, o)
			return signedBy(t, app.key, map[string]any{"alg": "RS256", "x5t": base64URL(app.sha1())}, map[string]any{
				"aud": o.TokenEndpoint, "iss": o.ClientID, "sub": o.ClientID, "jti": "1", "exp": 1 << 33,
			}), nil
		})
		w.wantAccepted(c, err)
		if len(asked) != 1 || asked[0].ClientID != "web" || asked[0].TokenEndpoint != w.srv.Authority()+"/oauth2/v2.0/token" {
			t.Errorf("asked with %v", asked)
		}
	})
	t.Run("S3 a function that fails", func(t *testing.T) {
		down := errors.New("the vault is sealed")
		for want, answer := range map[error]error{down: down, msal.ErrCredential: nil} {
			c, err := msal.AssertionFunc(func(context.Context, msal.AssertionOptions) (string, error) { return "", answer })
			if err != nil {
				t.Fatal(err)
			}
			if err := newWorld(t, nil).accepted(c); !errors.Is(err, want) {
				t.Errorf("error is %v, want %v", err, want)
			}
		}
	})
	t.Run("S3 none", func(t *testing.T) {
		_, err := msal.Assertion("")
		wantCredentialError(t, err, msal.ErrCredential)
		_, err = msal.AssertionFunc(nil)
		wantCredentialError(t, err, msal.ErrCredential)
	})
}
