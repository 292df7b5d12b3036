// Package cloud is a pretend Microsoft cloud for people with a browser: package
// msaltest's Entra ID with a page on which a person chooses an account or
// cancels, a page that signs out, and of Microsoft Graph the signed-in user,
// the manager and the photo.
//
// Like msaltest it believes everybody and proves nothing: it is for examples
// and tests.
package cloud

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/msalext/msalext/msal/msaltest"
)

// A Cloud is running. Its methods are safe for concurrent use.
type Cloud struct {
	entra *msaltest.Server
	pages *httptest.Server
}

// Start starts a cloud on a free loopback port, with TLS and the public
// certificate of net/http/httptest; nil options are msaltest's defaults. It
// fails where that port can't be had. Close it.
func Start(opts *msaltest.Options) (*Cloud, error) {
	c := &Cloud{entra: msaltest.New(opts)}
	behind, err := url.Parse(c.entra.URL())
	if err != nil {
		c.entra.Close()
		return nil, err
	}
	quiet := log.New(io.Discard, "", 0) // browsers hang up, and refuse the certificate once
	proxy := &httputil.ReverseProxy{
		Transport: c.entra.Client().Transport, ErrorLog: quiet,
		// The fake answers under the host that it was asked as.
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host },
	}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", c.choose)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/authorize", c.chosen)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/logout", signedOut)
	mux.HandleFunc("GET "+graph+"/me", person)
	mux.HandleFunc("GET "+graph+"/me/manager", manager)
	mux.HandleFunc("GET "+graph+"/me/photo/$value", photo)
	c.pages = httptest.NewUnstartedServer(mux)
	c.pages.Config.ErrorLog = quiet
	c.pages.StartTLS()
	return c, nil
}

// graph is where Microsoft Graph begins.
const graph = "/v1.0"

// Entra is the fake behind the pages, to let things go wrong.
func (c *Cloud) Entra() *msaltest.Server { return c.entra }

// Authority is the authority for MSAL.
func (c *Cloud) Authority() string {
	behind, _ := url.Parse(c.entra.Authority()) // it was parsed before
	return c.pages.URL + behind.Path
}

// GraphURL is what Microsoft's https://graph.microsoft.com/v1.0 is here.
func (c *Cloud) GraphURL() string { return c.pages.URL + graph }

// Client is an HTTP client that trusts this cloud and nobody else.
func (c *Cloud) Client() *http.Client { return c.pages.Client() }

// Close stops the cloud.
func (c *Cloud) Close() {
	c.pages.Close()
	c.entra.Close()
}

// Env tells another process of a cloud: msaltest's variables, which [FromEnv]
// reads.
func (c *Cloud) Env() []string {
	return []string{
		msaltest.EnvAuthority + "=" + c.Authority(),
		msaltest.EnvCertificate + "=" + string(c.entra.CertificatePEM()),
	}
}

// A Remote is a cloud in another process.
type Remote struct {
	Authority, GraphURL string
	Client              *http.Client
}

// FromEnv finds the cloud that another process told this one of by [Cloud.Env].
func FromEnv() (*Remote, error) {
	authority, err := url.Parse(os.Getenv(msaltest.EnvAuthority))
	if err != nil || authority.Host == "" {
		return nil, errors.New(msaltest.EnvAuthority + " isn't the URL of an authority")
	}
	client, err := msaltest.HTTPClient([]byte(os.Getenv(msaltest.EnvCertificate)))
	if err != nil {
		return nil, err
	}
	return &Remote{authority.String(), authority.Scheme + "://" + authority.Host + graph, client}, nil
}
