package web

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	defaultGraph  = "https://graph.microsoft.com/v1.0"
	defaultCaches = 1000
	routes        = "/user/"
	requestTime   = time.Minute // for a whole answer, where Config.HTTPClient has no time-out
)

// complete checks a configuration and fills in what was left out.
func (c *Config) complete() error {
	switch {
	case c.ClientID == "":
		return unusable("ClientID", "it is empty")
	case c.Authority == "":
		return unusable("Authority", "it is empty")
	case c.Tokens == nil:
		return unusable("Tokens", "it is nil")
	case c.Sessions != nil && c.Store != nil:
		return unusable("Store", "it is for where Sessions is nil")
	}
	if !c.AllowPlaintext && !c.Tokens.IsEncrypted() {
		return unusable("Tokens", "the store doesn't encrypt, and whoever reads it is everybody who is signed in; "+
			"encrypt it (extensions.Options.Envelope, or the setting key of sqlite), or set AllowPlaintext")
	}
	if err := c.completeURLs(); err != nil {
		return err
	}
	c.completeRest()
	return nil
}

func (c *Config) completeURLs() error {
	if c.BaseURL == "" {
		u, err := url.Parse(c.RedirectURI)
		if err != nil || c.RedirectURI == "" {
			return unusable("BaseURL", "set it or RedirectURI")
		}
		c.BaseURL = u.Scheme + "://" + u.Host
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || base.User != nil || strings.Trim(base.Path, "/") != "" || base.RawQuery != "" || base.Fragment != "" || !private(base) {
		return unusable("BaseURL", "it has to be such as https://shop.example; plain http is for this machine alone")
	}
	c.BaseURL = base.Scheme + "://" + base.Host
	c.RedirectURI = cmp.Or(c.RedirectURI, c.BaseURL+routes+"authorized")
	if err := sameOrigin(c.RedirectURI, base); err != nil {
		return unusable("RedirectURI", err.Error())
	}
	c.ResponseMode = cmp.Or(c.ResponseMode, "form_post")
	if c.ResponseMode != "form_post" && c.ResponseMode != "query" {
		return unusable("ResponseMode", "it has to be form_post or query")
	}
	c.GraphURL = strings.TrimSuffix(cmp.Or(c.GraphURL, defaultGraph), "/")
	graph, err := url.Parse(c.GraphURL)
	if err != nil || graph.Host == "" || graph.User != nil || !private(graph) || graph.Scheme == "http" && graph.Hostname() == "localhost" {
		// No browser asks Graph, and to others localhost is a name as any.
		return unusable("GraphURL", "it has to be such as "+defaultGraph+"; plain http is for addresses such as 127.0.0.1 alone")
	}
	return nil
}

// sameOrigin tells why browsers would not bring the cookies of base along.
func sameOrigin(uri string, base *url.URL) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Fragment != "" || u.User != nil:
		return errors.New("it has to be a URL without a fragment")
	case u.Scheme != base.Scheme || !strings.EqualFold(u.Host, base.Host):
		return errors.New("it has to be below BaseURL, since cookies of another host don't come along")
	}
	return nil
}

// private tells whether nobody on the way can read what a browser sends there.
// Browsers take localhost for this machine whatever a name server says.
func private(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

func (c *Config) completeRest() {
	if c.Scopes == nil {
		c.Scopes = []string{"User.Read"}
	}
	if c.GraphScopes == nil {
		c.GraphScopes = []string{"User.Read"}
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{CheckRedirect: withoutSecrets}
	}
	c.Caches = cmp.Or(max(c.Caches, 0), defaultCaches)
	c.SweepEvery = cmp.Or(c.SweepEvery, time.Hour)
	c.Logger = cmp.Or(c.Logger, slog.Default())
}

// identityClient is the configured client for what has the application's secret.
func (c *Config) identityClient() *http.Client {
	own := *c.HTTPClient
	own.Timeout = cmp.Or(own.Timeout, requestTime)
	if own.CheckRedirect == nil {
		own.CheckRedirect = withoutSecrets
	}
	return &own
}

// withoutSecrets follows no redirect of a POST: 307 and 308 would send the
// application's secret, or a code, on to anybody.
func withoutSecrets(_ *http.Request, via []*http.Request) error {
	if via[0].Method == http.MethodPost {
		return http.ErrUseLastResponse
	}
	if len(via) >= 10 { // what package http does by itself
		return errors.New("stopped after 10 redirects")
	}
	return nil
}
