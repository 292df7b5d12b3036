package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	goidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/msalext/msalext/msal"
)

// source is where genuine tokens come from.
type source struct {
	issuer     string // with {tenantid} in it, where there is one for each tenant
	algorithms []string
	keys       *goidc.RemoteKeySet
}

// algorithms are those that prove anything (RFC 7518 §3.1, RFC 8037): by none
// of them can a public key, or nothing, serve as the secret.
var algorithms = []string{
	goidc.RS256, goidc.RS384, goidc.RS512, goidc.PS256, goidc.PS384, goidc.PS512, goidc.ES256, goidc.ES384, goidc.ES512, goidc.EdDSA,
}

// source asks for the issuer's configuration once. A failure isn't kept.
func (v *Verifier) source(ctx context.Context) (source, error) {
	answer := v.flight.DoChan("", func() (any, error) {
		if v.known.keys != nil {
			return v.known, nil
		}
		known, err := v.discover(context.WithoutCancel(ctx)) // others wait for it as well
		if err == nil {
			v.known = known
		}
		return known, err
	})
	select {
	case r := <-answer:
		if r.Err != nil {
			return source{}, fmt.Errorf("msalext: verifying an ID token: %w: the configuration of %s: %w", ErrKeys, v.configured(), r.Err)
		}
		return r.Val.(source), nil
	case <-ctx.Done():
		return source{}, ctx.Err()
	}
}

// configured is where the configuration lies, without its well-known end.
func (v *Verifier) configured() string {
	if v.options.Authority == "" {
		return v.options.Issuer
	}
	authority := strings.TrimRight(v.options.Authority, "/")
	if v.tenant == "adfs" {
		return authority
	}
	return authority + "/v2.0"
}

func (v *Verifier) discover(ctx context.Context) (source, error) {
	ctx = goidc.ClientContext(ctx, v.keys.client)
	if v.options.Authority != "" {
		// go-oidc wants issuer and address to be the same, which Entra ID's
		// never are; what the issuer has to be instead is looked at here.
		ctx = goidc.InsecureIssuerURLContext(ctx, v.options.Issuer)
	}
	provider, err := goidc.NewProvider(ctx, v.configured())
	if err != nil {
		return source{}, plain(err)
	}
	var said struct {
		Issuer     string   `json:"issuer"`
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := provider.Claims(&said); err != nil {
		return source{}, errors.New("it isn't such a document")
	}
	if !secure(withoutQuery(said.Keys)) {
		return source{}, errors.New("its jwks_uri isn't an https URL")
	}
	if err := v.credible(said.Issuer); err != nil {
		return source{}, err
	}
	usable := slices.DeleteFunc(said.Algorithms, func(a string) bool { return !slices.Contains(algorithms, a) })
	if len(usable) == 0 {
		usable = []string{goidc.RS256} // what every provider has (OpenID Connect Core §15.1)
	}
	return source{said.Issuer, usable, v.keys.remote(said.Keys)}, nil
}

func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

// plain leaves out the provider's own words, which go-oidc quotes.
func plain(err error) error {
	if mismatch, ok := errors.AsType[*goidc.IssuerMismatchError](err); ok {
		return fmt.Errorf("it is of the issuer %.200q", mismatch.Discovered)
	}
	if fetch, ok := errors.AsType[*fetchError](err); ok {
		return fetch
	}
	if sent, ok := errors.AsType[*url.Error](err); ok {
		return sent
	}
	return errors.New("it can't be read")
}

// credible compares the issuer that a configuration names with where the
// configuration lies: nobody else's may come from there.
func (v *Verifier) credible(issuer string) error {
	if v.options.Issuer != "" {
		if issuer != v.options.Issuer {
			return fmt.Errorf("it is of the issuer %.200q, not %q", issuer, v.options.Issuer)
		}
		return nil
	}
	authority, err1 := url.Parse(v.options.Authority)
	named, err2 := url.Parse(issuer)
	if err := errors.Join(err1, err2); err != nil || named.Scheme != "https" || !strings.EqualFold(named.Host, authority.Host) {
		return fmt.Errorf("it is of the issuer %.200q, at another host; if that is right, set Options.Issuer to it", issuer)
	}
	return nil
}

const tenantHole = "{tenantid}"

// personal is the tenant of personal accounts.
const personal = "9188040d-6c67-4c5b-b112-36a304b66dad"

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// accepts tells whether the token's issuer is one of the accepted.
func (v *Verifier) accepts(from source, t *msal.IDToken) error {
	if want := forTenant(from.issuer, t); want == "" || want != t.Issuer {
		return wrongIssuer("it says %.200q, not %q", t.Issuer, from.issuer)
	}
	tenant := t.Text("tid")
	if len(v.options.Tenants) > 0 && !slices.ContainsFunc(v.options.Tenants, func(id string) bool { return strings.EqualFold(id, tenant) }) {
		return wrongIssuer("its tenant %.50q isn't one of those that may sign in", tenant)
	}
	if v.tenant == "organizations" && tenant == personal {
		return wrongIssuer("it is for a personal account, which %s isn't for", v.options.Authority)
	}
	return nil
}

func wrongIssuer(format string, args ...any) *msal.IDTokenError {
	return &msal.IDTokenError{Kind: msal.ErrIDTokenIssuer, Err: fmt.Errorf(format, args...)}
}

// forTenant fills the token's tenant in where the issuer has a place for it, and
// is "" where the token's isn't an id.
func forTenant(issuer string, t *msal.IDToken) string {
	if !strings.Contains(issuer, tenantHole) {
		return issuer
	}
	tenant := t.Text("tid")
	if !guid.MatchString(tenant) {
		return ""
	}
	return strings.ReplaceAll(issuer, tenantHole, tenant)
}
