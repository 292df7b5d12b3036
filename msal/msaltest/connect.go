package msaltest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Environment variables by which [Server.Env] tells another process how to
// reach a fake. Neither holds a secret.
const (
	EnvAuthority   = "MSALTEST_AUTHORITY"   // as Server.Authority
	EnvCertificate = "MSALTEST_CERTIFICATE" // as Server.CertificatePEM
)

// Env returns [EnvAuthority] and [EnvCertificate] in the form of [os.Environ],
// to be added to the environment of a process that calls [ConnectEnv].
func (s *Server) Env() []string {
	return []string{
		EnvAuthority + "=" + s.Authority(),
		EnvCertificate + "=" + string(s.CertificatePEM()),
	}
}

// HTTPClient returns a new client that trusts the certificate of a fake, given
// as [Server.CertificatePEM] returns it, and no other. It uses no proxy, and
// suits many concurrent requests.
func HTTPClient(certificatePEM []byte) (*http.Client, error) {
	block, _ := pem.Decode(certificatePEM)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("reading the fake's certificate: no PEM block of type CERTIFICATE: pass what CertificatePEM returned")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the fake's certificate: %w", err)
	}
	return clientTrusting(certificate), nil
}

func clientTrusting(certificate *x509.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		// The default keeps two; hundreds of requests at once would spend
		// their time on handshakes.
		MaxIdleConnsPerHost: 256,
	}}
}

// Remote is a fake that runs in another process. It is safe for concurrent
// use.
type Remote struct {
	authority string
	base      string
	client    *http.Client
}

// Connect returns the fake with the given [Server.Authority] and
// [Server.CertificatePEM]. It makes no request: a fake that isn't there shows
// at the first use.
func Connect(authority string, certificatePEM []byte) (*Remote, error) {
	u, err := url.Parse(authority)
	if err != nil {
		return nil, fmt.Errorf("connecting to a fake: %w", err)
	}
	if u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("connecting to a fake: %q isn't an https URL: pass what Authority returned", authority)
	}
	client, err := HTTPClient(certificatePEM)
	if err != nil {
		return nil, fmt.Errorf("connecting to a fake: %w", err)
	}
	return &Remote{authority: authority, base: "https://" + u.Host, client: client}, nil
}

// ConnectEnv is [Connect] with what [Server.Env] put into the environment. It
// fails when the variables aren't set.
func ConnectEnv() (*Remote, error) {
	authority, certificate := os.Getenv(EnvAuthority), os.Getenv(EnvCertificate)
	if authority == "" || certificate == "" {
		return nil, fmt.Errorf("connecting to a fake: %s and %s must be set: add Server.Env to the environment",
			EnvAuthority, EnvCertificate)
	}
	return Connect(authority, []byte(certificate))
}

// Authority returns the authority for MSAL.
func (r *Remote) Authority() string { return r.authority }

// Client returns the HTTP client for MSAL, the same on every call.
func (r *Remote) Client() *http.Client { return r.client }

// Counts is [Server.Counts].
func (r *Remote) Counts(ctx context.Context) (map[Kind]int, error) {
	body, err := r.call(ctx, http.MethodGet, countsPath, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the fake's counts: %w", err)
	}
	var counts map[Kind]int
	if err := json.Unmarshal(body, &counts); err != nil {
		return nil, fmt.Errorf("reading the fake's counts: %w", err)
	}
	return counts, nil
}

// Count is [Server.Count].
func (r *Remote) Count(ctx context.Context, kind Kind) (int, error) {
	counts, err := r.Counts(ctx)
	return counts[kind], err
}

// Approve is [Server.Approve].
func (r *Remote) Approve(ctx context.Context, userCode, username string) error {
	_, err := r.call(ctx, http.MethodPost, approvePath, url.Values{"user_code": {userCode}, "username": {username}})
	return err
}

// Decline is [Server.Decline].
func (r *Remote) Decline(ctx context.Context, userCode string) error {
	_, err := r.call(ctx, http.MethodPost, declinePath, url.Values{"user_code": {userCode}})
	return err
}

// Revoke is [Server.Revoke].
func (r *Remote) Revoke(ctx context.Context, username string) error {
	_, err := r.call(ctx, http.MethodPost, revokePath, url.Values{"username": {username}})
	return err
}

// call sends a request to one of the fake's own pages and returns the body.
func (r *Remote) call(ctx context.Context, method, path string, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRequest))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the fake answered %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return body, nil
}
