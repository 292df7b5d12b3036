package oidc_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/oidc"
)

// TestDiscovery: a configuration may name issuers and keys of its own place.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	const ciam = "https://11111111-2222-3333-4444-555555555555.ciam.example/v2.0"
	for _, c := range []struct {
		name    string
		change  func(*idp)
		options func(*oidc.Options)
		claims  map[string]any
		want    error
	}{
		{"an authority for one tenant", func(p *idp) { p.issuer = host + "/" + tenant + "/v2.0" }, func(o *oidc.Options) { o.Authority = host + "/contoso.example" }, nil, nil},
		{"its issuer is another tenant", func(p *idp) { p.issuer = host + "/" + personal + "/v2.0" }, func(o *oidc.Options) { o.Authority = host + "/contoso.example" }, nil, msal.ErrIDTokenIssuer},
		{"an issuer at another host", func(p *idp) { p.issuer = "https://evil.example/{tenantid}/v2.0" }, nil, nil, oidc.ErrKeys},
		{"an issuer without TLS", func(p *idp) { p.issuer = "http://login.example/{tenantid}/v2.0" }, nil, nil, oidc.ErrKeys},
		{"no issuer", func(p *idp) { p.issuer = "" }, nil, nil, oidc.ErrKeys},
		{"an issuer at another host, expected", func(p *idp) { p.issuer = ciam }, func(o *oidc.Options) { o.Issuer = ciam }, map[string]any{"iss": ciam}, nil},
		{"not the one expected", nil, func(o *oidc.Options) { o.Issuer = ciam }, map[string]any{"iss": ciam}, oidc.ErrKeys},
		{"keys without TLS", func(p *idp) { p.config = map[string]any{"jwks_uri": "http://login.example/keys"} }, nil, nil, oidc.ErrKeys},
		{"no keys", func(p *idp) { p.config = map[string]any{"jwks_uri": ""} }, nil, nil, oidc.ErrKeys},
		{"keys that depend on a query", func(p *idp) { p.config = map[string]any{"jwks_uri": host + keysPath + "?appid=app"} }, nil, nil, nil},
		{"members of another type", func(p *idp) { p.config = map[string]any{"jwks_uri": 1} }, nil, nil, oidc.ErrKeys},
		{"no algorithms that prove anything", func(p *idp) {
			p.config = map[string]any{"id_token_signing_alg_values_supported": []string{"none", "HS256"}}
		}, nil, nil, nil},
		{"another provider", func(p *idp) { p.issuer = host }, func(o *oidc.Options) { o.Authority, o.Issuer = "", host }, map[string]any{"iss": host}, nil},
		{"another provider, which says it is yet another", func(p *idp) { p.issuer = host + "/" }, func(o *oidc.Options) { o.Authority, o.Issuer = "", host }, map[string]any{"iss": host}, oidc.ErrKeys},
		{"AD FS", func(p *idp) { p.issuer = host + "/adfs" }, func(o *oidc.Options) { o.Authority = host + "/adfs" }, map[string]any{"iss": host + "/adfs", "tid": nil}, nil},
	} {
		t.Run("S8 "+c.name, func(t *testing.T) {
			t.Parallel()
			p := newIDP()
			if c.change != nil {
				c.change(p)
			}
			_, err := p.verifier(t, c.options).VerifyIDToken(t.Context(), token(t, "k-0", 0, c.claims), nil)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// TestDiscoveryPlace: where each kind of provider has its configuration.
func TestDiscoveryPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    oidc.Options
		want string
	}{
		{oidc.Options{Authority: authority}, "/common/v2.0/.well-known/openid-configuration"},
		{oidc.Options{Authority: authority + "/"}, "/common/v2.0/.well-known/openid-configuration"},
		{oidc.Options{Authority: host + "/adfs/"}, "/adfs/.well-known/openid-configuration"},
		{oidc.Options{Issuer: host + "/realms/x"}, "/realms/x/.well-known/openid-configuration"},
	} {
		var asked *url.URL
		c.o.ClientID, c.o.HTTPClient = "app", &http.Client{Transport: seen{&asked}}
		v, err := oidc.New(c.o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.VerifyIDToken(t.Context(), token(t, "k-0", 0, nil), nil); !errors.Is(err, oidc.ErrKeys) || asked.Path != c.want || asked.Host != "login.example" {
			t.Errorf("asked %s, want %s; %v", asked, c.want, err)
		}
	}
}

type seen struct{ last **url.URL }

func (s seen) RoundTrip(req *http.Request) (*http.Response, error) {
	*s.last = req.URL
	return nil, io.EOF
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*oidc.Options){
		"no client id": func(o *oidc.Options) { o.ClientID = "" }, "nobody": func(o *oidc.Options) { o.Authority = "" },
		"no TLS": func(o *oidc.Options) { o.Authority = "http://login.example/common" }, "no host": func(o *oidc.Options) { o.Authority = "https:///common" },
		"a user": func(o *oidc.Options) { o.Authority = "https://me:hunter2@login.example/common" }, "a query": func(o *oidc.Options) { o.Authority += "?x" },
		"an issuer without TLS": func(o *oidc.Options) { o.Issuer = "http://login.example" }, "not a URL": func(o *oidc.Options) { o.Issuer = "https://a b\x00" },
		"tenants of no authority": func(o *oidc.Options) { o.Authority, o.Issuer, o.Tenants = "", host, []string{tenant} },
	} {
		t.Run("S8 "+name, func(t *testing.T) {
			t.Parallel()
			o := oidc.Options{Authority: authority, ClientID: "app"}
			change(&o)
			if v, err := oidc.New(o); v != nil || !errors.Is(err, msal.ErrOptions) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, %v", v, err)
			}
		})
	}
}
