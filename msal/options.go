package msal

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/persist"
)

// The clouds' authorities
// (https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud),
// for [Options.Authority]: as they are, for everybody with a work, school or
// personal account there, or followed by a tenant, as in
// AuthorityChina + "contoso.cn".
const (
	AuthorityPublic       = "https://login.microsoftonline.com/"
	AuthorityUSGovernment = "https://login.microsoftonline.us/"
	AuthorityChina        = "https://login.partner.microsoftonline.cn/"
)

// commonTenant is MSAL Python's, where an authority names none.
const commonTenant = "common"

// RegionAutoDetect, as [Options.Region], asks the machine where it runs:
// REGION_NAME in the environment, or Azure's metadata service.
const RegionAutoDetect = "TryAutoDetect"

// ErrOptions: an option can't be used, or not with another one. The message
// names it.
var ErrOptions = errors.New("the options aren't usable")

// Options tune [NewPublic] and [NewConfidential]. Nil and the zero value are
// fine. They are read once, when the client is made.
type Options struct {
	// Authority is who issues tokens: an https URL with one path element, the
	// tenant (an id or a domain, or common, organizations or consumers); or
	// "adfs" there for AD FS. Without a path it is for the tenant common. Empty
	// is the public cloud's common, as in MSAL Python.
	Authority string
	// Cache is where tokens are kept; several clients may share one. The caller
	// closes it. Nil: in memory, for this client alone.
	Cache *persist.PersistedTokenCache

	// HTTPClient sends requests, and takes the place of Proxy, RootCAs and
	// InsecureSkipVerify, which must be zero then. Nil: one is made, which
	// doesn't follow redirects of requests that hold secrets.
	HTTPClient Doer
	// Proxy is as in http.Transport. Nil: what HTTPS_PROXY and NO_PROXY say.
	Proxy func(*http.Request) (*url.URL, error)
	// RootCAs are the certificate authorities to trust. Nil: the system's.
	RootCAs *x509.CertPool
	// InsecureSkipVerify accepts any certificate, and so hands secrets to
	// whoever is on the way. It stands for verify=False of MSAL Python.
	InsecureSkipVerify bool
	// Timeout bounds each request and its answer; one that is sent again has
	// that time again. 0: none of its own. MSAL gives a request with all its
	// repetitions 30 s where the caller's context has no deadline.
	Timeout time.Duration
	// Retry bounds how often a request is sent again when the server is busy.
	// Nil: the zero value's three times; Attempts: -1 is never.
	Retry *RetryOptions

	// AppName and AppVersion tell Microsoft which program asks (the header
	// fields x-app-name and x-app-ver).
	AppName, AppVersion string
	// Capabilities of the client, such as cp1: it understands claims
	// challenges, and so gets tokens that live for longer and can be revoked.
	Capabilities []string
	// DisableInstanceDiscovery doesn't ask login.microsoftonline.com whether the
	// authority exists; it is needed for one that Microsoft doesn't know. It
	// stands for validate_authority=False, and instance_discovery=False, of MSAL
	// Python.
	DisableInstanceDiscovery bool

	// Region of Azure, such as westeurope, whose own token service a
	// confidential client's own tokens come from; or [RegionAutoDetect]. Empty:
	// MSAL_FORCE_REGION in the environment, or no region. People's tokens come
	// from the authority itself all the same. A public client refuses it.
	Region string

	// Logger is told of each request at level debug, without tokens and other
	// secrets. Nil: nobody is.
	Logger *slog.Logger
	// LogPII also logs who signs in: names, and the server's own texts. Tokens
	// and other secrets are never logged.
	LogPII bool
}

// withDefaults returns a copy in which the authority is whole; o may be nil.
func (o *Options) withDefaults() (Options, error) {
	var full Options
	if o != nil {
		full = *o
	}
	if full.Authority == "" {
		full.Authority = AuthorityPublic
	}
	u, err := url.Parse(full.Authority)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return full, unusable("Authority", "pass an https URL such as "+AuthorityPublic+"contoso.example")
	}
	if strings.Trim(u.Path, "/") == "" {
		full.Authority = "https://" + u.Host + "/" + commonTenant
	}
	if full.HTTPClient != nil && (full.Proxy != nil || full.RootCAs != nil || full.InsecureSkipVerify) {
		return full, unusable("HTTPClient", "it takes the place of Proxy, RootCAs and InsecureSkipVerify; set them there")
	}
	if full.Timeout < 0 {
		return full, unusable("Timeout", "it is less than 0")
	}
	return full, nil
}

// forPublic refuses what a public client has no use for: to ignore it would
// leave somebody waiting for its effect.
func (o *Options) forPublic() error {
	if o.Region != "" {
		return unusable("Region", "it is for confidential clients")
	}
	return nil
}

func unusable(option, reason string) error {
	return fmt.Errorf("msalext: making a client: %w: %s: %s", ErrOptions, option, reason)
}
