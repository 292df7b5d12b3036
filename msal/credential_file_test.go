package msal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/msalext/msalext/msal"
)

// followed is a credential whose file changes.
type followed struct {
	*world

	path       string
	credential msal.Credential
	mu         sync.Mutex
	told       []error
	log        bytes.Buffer
}

// follow makes one of a file with some content.
func follow(t *testing.T, w *world, content string, o *msal.CertificateOptions) *followed {
	t.Helper()
	f := &followed{world: w, path: filepath.Join(t.TempDir(), "app.pem")}
	f.write(content)
	if o == nil {
		o = &msal.CertificateOptions{}
	}
	o.OnError = func(err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.told = append(f.told, err)
	}
	o.Logger = slog.New(slog.NewTextHandler(&f.log, nil))
	var err error
	if f.credential, err = msal.CertificateFile(f.path, o); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *followed) write(content string) {
	f.Helper()
	if err := os.WriteFile(f.path, []byte(content), 0o600); err != nil {
		f.Fatal(err)
	}
}

// old makes the file look as if nobody had written it lately.
func (f *followed) old() {
	f.Helper()
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(f.path, long, long); err != nil {
		f.Fatal(err)
	}
}

// wantSigned wants the next assertion to be signed with a certificate's key.
func (f *followed) wantSigned(by certified) {
	f.Helper()
	f.wantAccepted(f.credential, nil)
	if header, _ := f.proof(); header["x5t#S256"] != base64URL(by.sha256()) {
		f.Errorf("signed with %v, want %s", header["x5t#S256"], base64URL(by.sha256()))
	}
}

// wantTold wants that errors of these kinds were told, each once, and as many
// warnings logged.
func (f *followed) wantTold(kinds ...error) {
	f.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, kind := range kinds {
		if i < len(f.told) && !errors.Is(f.told[i], kind) {
			f.Errorf("told %v, want %v", f.told[i], kind)
		}
	}
	if len(f.told) != len(kinds) || strings.Count(f.log.String(), "level=WARN") != len(kinds) {
		f.Errorf("told %v, want %v; log: %s", f.told, kinds, f.log.String())
	}
}

func TestCertificateFile(t *testing.T) {
	t.Parallel()
	first, second := certify(t, 0, validNow, nil), certify(t, 1, validNow, nil)
	one, two := first.keyPEM(t)+first.certPEM(), second.keyPEM(t)+second.certPEM()
	start := func(t *testing.T, o *msal.CertificateOptions) *followed {
		return follow(t, registered(t, first.cert, second.cert), one, o)
	}
	t.Run("S2 exchanged", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil)
		f.wantSigned(first)
		f.old()
		f.wantSigned(first)
		f.write(two)
		f.wantSigned(second)
		f.wantTold()
		if strings.Count(f.log.String(), "level=INFO") != 1 {
			t.Errorf("log: %s", f.log.String())
		}
	})
	t.Run("S2 put back", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil)
		f.old()
		f.wantSigned(first)
		aside := f.path + ".aside"
		if err := os.Rename(f.path, aside); err != nil {
			t.Fatal(err)
		}
		f.write(two)
		f.wantSigned(second)
		if err := os.Rename(aside, f.path); err != nil {
			t.Fatal(err)
		}
		f.wantSigned(first)
	})
	t.Run("S2 exchanged within a tick, at the same length", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil)
		before, err := os.Stat(f.path)
		if err != nil {
			t.Fatal(err)
		}
		f.write(two + strings.Repeat("\n", max(len(one)-len(two), 0)))
		if err := os.Chtimes(f.path, before.ModTime(), before.ModTime()); err != nil {
			t.Fatal(err)
		}
		f.wantSigned(second)
	})
	t.Run("S2 only looked at", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil)
		f.old()
		f.wantSigned(first)
		// What can't be told by a stat isn't read.
		before, err := os.Stat(f.path)
		if err != nil {
			t.Fatal(err)
		}
		f.write(strings.Repeat("x", len(one)))
		if err := os.Chtimes(f.path, before.ModTime(), before.ModTime()); err != nil {
			t.Fatal(err)
		}
		f.wantSigned(first)
		f.wantTold()
	})
	t.Run("S2 while it can't be used", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil)
		f.old()
		expired := certify(t, 1, validity{-2 * time.Hour, -time.Hour}, nil)
		for _, step := range []string{two[:len(two)/2], two[:len(two)/2], two[:len(two)*9/10], first.keyPEM(t) + second.certPEM(), second.keyPEM(t) + expired.certPEM()} {
			f.write(step)
			f.wantSigned(first)
			f.wantSigned(first)
		}
		if err := os.Remove(f.path); err != nil {
			t.Fatal(err)
		}
		f.wantSigned(first)
		f.wantTold(msal.ErrCredential, msal.ErrKeyMismatch, msal.ErrCertificateExpired, fs.ErrNotExist)
		f.write(two)
		f.wantSigned(second)
	})
	t.Run("S2 another passphrase", func(t *testing.T) {
		t.Parallel()
		pfx := func(c certified, passphrase string) string {
			data, err := pkcs12.Modern.Encode(c.key, c.cert, nil, passphrase)
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		f := follow(t, registered(t, first.cert, second.cert), pfx(first, "open sesame"), &msal.CertificateOptions{Passphrase: "open sesame"})
		f.wantSigned(first)
		f.write(pfx(second, "another"))
		f.wantSigned(first)
		f.wantTold(msal.ErrPassphrase)
		f.write(pfx(second, "open sesame"))
		f.wantSigned(second)
		f.write(one) // from PKCS#12 to PEM
		f.wantSigned(first)
		if strings.Contains(f.log.String(), "sesame") {
			t.Errorf("log: %s", f.log.String())
		}
	})
	t.Run("S2 key in a file of its own", func(t *testing.T) {
		t.Parallel()
		key := filepath.Join(t.TempDir(), "tls.key")
		write := func(c certified) {
			if err := os.WriteFile(key, []byte(strings.TrimSpace(c.keyPEM(t))), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(first)
		f := follow(t, registered(t, first.cert, second.cert), strings.TrimSpace(first.certPEM()), &msal.CertificateOptions{KeyFile: key})
		f.wantSigned(first)
		f.write(second.certPEM())
		f.wantSigned(first)
		write(second)
		f.wantSigned(second)
		f.wantTold(msal.ErrKeyMismatch)
	})
	t.Run("S2 x5c and client_claims", func(t *testing.T) {
		t.Parallel()
		f := start(t, &msal.CertificateOptions{SendX5C: true, Claims: map[string]any{"client_ip": "192.0.2.1"}})
		f.write(two)
		f.wantSigned(second)
		if header, claims := f.proof(); header["x5c"] == nil || claims["client_ip"] != "192.0.2.1" {
			t.Errorf("header %v, claims %v", header, claims)
		}
	})
	t.Run("S2 many at once", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 4 {
					if err := f.accepted(f.credential); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 4 {
			f.write(two)
			f.write(one)
		}
		wg.Wait()
	})
}

func TestCertificateFileRefused(t *testing.T) {
	t.Parallel()
	app := certify(t, 0, validNow, nil)
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		path string
		o    *msal.CertificateOptions
		kind error
	}{
		"A16 no file":         {filepath.Join(dir, "nothing"), nil, fs.ErrNotExist},
		"A16 no key file":     {file("cert", app.certPEM()), &msal.CertificateOptions{KeyFile: filepath.Join(dir, "nothing")}, fs.ErrNotExist},
		"A16 a directory":     {dir, nil, msal.ErrCredential},
		"A16 an empty file":   {file("empty", ""), nil, msal.ErrNoKey},
		"A16 a large file":    {file("large", strings.Repeat(app.certPEM(), 2<<20/len(app.certPEM()))), nil, msal.ErrCredential},
		"A16 not a key":       {file("text", "hello"), nil, msal.ErrNoKey},
		"A18 not JSON":        {file("claims", app.keyPEM(t)+app.certPEM()), &msal.CertificateOptions{Claims: map[string]any{"f": func() {}}}, msal.ErrCredential},
		"A15 bad thumbprint":  {file("key", app.keyPEM(t)), &msal.CertificateOptions{Thumbprint: "x"}, msal.ErrThumbprint},
		"A15 none with a key": {file("alone", app.keyPEM(t)), nil, msal.ErrPrivateKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := msal.CertificateFile(c.path, c.o)
			wantCredentialError(t, err, c.kind)
			if !strings.HasPrefix(name, "A18") && !strings.Contains(err.Error(), dir) {
				t.Errorf("%v doesn't name the file", err)
			}
		})
	}
	t.Run("A15 key in a file, and a byte order mark", func(t *testing.T) {
		path := file("bom", "\xef\xbb\xbf"+app.keyPEM(t))
		registered(t, app.cert).wantAccepted(msal.CertificateFile(path, &msal.CertificateOptions{Thumbprint: app.sha1()}))
	})
}

// TestCertificateFileOutlived: the old certificate is used as long as it is
// valid, and no longer.
func TestCertificateFileOutlived(t *testing.T) {
	t.Parallel()
	testKeys[0]() // made outside, where time passes
	t.Run("S2 expired while the new one can't be read", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "app.pem")
		synctest.Test(t, func(t *testing.T) {
			app := certify(t, 0, validNow, nil)
			write := func(content string) {
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(app.keyPEM(t) + app.certPEM())
			c, err := msal.CertificateFile(path, &msal.CertificateOptions{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			ask := func() error {
				client, err := msal.NewConfidential("web", c, &msal.Options{Authority: "https://sts.example/t", DisableInstanceDiscovery: true, HTTPClient: network(answers)})
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.ForClient(t.Context(), scopes, nil)
				return err
			}
			if err := ask(); err != nil {
				t.Fatal(err)
			}
			write(app.certPEM())
			time.Sleep(30 * time.Minute)
			if err := ask(); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Hour)
			err = ask()
			wantCredentialError(t, err, msal.ErrCertificateExpired)
			wantCredentialError(t, err, msal.ErrNoKey)
			renewed := certify(t, 0, validNow, nil)
			write(renewed.keyPEM(t) + renewed.certPEM())
			if err := ask(); err != nil {
				t.Error(err)
			}
		})
	})
}

// answers is a provider that says yes to everything, without a network.
func answers(req *http.Request) (*http.Response, error) {
	return answersAt(req, "https://sts.example", "/t/v2.0", "/t/token")
}

func answersAt(req *http.Request, host, issuer, token string) (*http.Response, error) {
	body := map[string]any{"token_type": "Bearer", "access_token": "t", "expires_in": 3600}
	if req.Method == http.MethodGet {
		body = map[string]any{"issuer": host + issuer, "authorization_endpoint": host + "/authorize", "token_endpoint": host + token}
	}
	text, err := json.Marshal(body)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text)), Request: req}, err
}
