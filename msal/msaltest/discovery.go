package msaltest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// clouds lists the names by which each of Microsoft's clouds knows itself:
// that which is preferred for requests first, then the one for caches.
var clouds = [][]string{
	{"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"},
	{"login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn"},
	{"login.microsoftonline.us", "login.microsoftonline.us", "login.usgovcloudapi.net"},
	{"login-us.microsoftonline.com", "login-us.microsoftonline.com"},
}

// instances describes all clouds, and a host of none as a cloud of its own.
func instances(host string) []instance {
	var list []instance
	known := false
	for _, names := range clouds {
		aliases := slices.Compact(slices.Clone(names))
		known = known || slices.Contains(aliases, host)
		list = append(list, instance{names[0], names[1], aliases})
	}
	if !known {
		list = append(list, instance{host, host, []string{host}})
	}
	return list
}

// baseURL is the address under which the client knows the fake: the issuer
// must have the host of the authority.
func baseURL(r *http.Request) string { return "https://" + r.Host }

// issuer names who issues tokens. Like Entra ID's, it holds the tenant's id,
// and at the shared authorities a placeholder.
func issuer(base, tenant string) string {
	switch strings.ToLower(tenant) {
	case "common", "organizations", "consumers":
		return base + "/{tenantid}/v2.0"
	}
	return base + "/" + TenantID(tenant) + "/v2.0"
}

type openIDConfiguration struct {
	Issuer              string   `json:"issuer"`
	Authorization       string   `json:"authorization_endpoint"`
	Token               string   `json:"token_endpoint"`
	DeviceAuthorization string   `json:"device_authorization_endpoint"`
	EndSession          string   `json:"end_session_endpoint"`
	Keys                string   `json:"jwks_uri"`
	ResponseTypes       []string `json:"response_types_supported"`
	ResponseModes       []string `json:"response_modes_supported"`
	Scopes              []string `json:"scopes_supported"`
	SubjectTypes        []string `json:"subject_types_supported"`
	SigningAlgorithms   []string `json:"id_token_signing_alg_values_supported"`
	ClientCredentials   []string `json:"token_endpoint_auth_methods_supported"`
}

func (s *Server) openIDConfiguration(r *http.Request) (any, *Failure) {
	tenant := r.PathValue("tenant")
	oauth := baseURL(r) + "/" + url.PathEscape(tenant) + "/oauth2/v2.0/"
	return openIDConfiguration{
		Issuer:              issuer(baseURL(r), tenant),
		Authorization:       oauth + "authorize",
		Token:               oauth + "token",
		DeviceAuthorization: oauth + "devicecode",
		EndSession:          oauth + "logout",
		Keys:                baseURL(r) + "/" + url.PathEscape(tenant) + "/discovery/v2.0/keys",
		ResponseTypes:       []string{"code", "id_token", "code id_token"},
		ResponseModes:       []string{"query", "fragment", "form_post"},
		Scopes:              []string{"openid", "profile", "email", "offline_access"},
		SubjectTypes:        []string{"pairwise"},
		SigningAlgorithms:   []string{"RS256"},
		ClientCredentials:   []string{"client_secret_post", "private_key_jwt"},
	}, nil
}

type instance struct {
	PreferredNetwork string   `json:"preferred_network"`
	PreferredCache   string   `json:"preferred_cache"`
	Aliases          []string `json:"aliases"`
}

type instanceDiscovery struct {
	TenantDiscovery string     `json:"tenant_discovery_endpoint"`
	APIVersion      string     `json:"api-version"`
	Metadata        []instance `json:"metadata"`
}

func (s *Server) instanceDiscovery(r *http.Request) (any, *Failure) {
	authorize, err := url.Parse(r.Form.Get("authorization_endpoint"))
	if err != nil || authorize.Host == "" {
		return nil, newFailure("invalid_request", 50049, "The authorization_endpoint isn't a URL.")
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(authorize.Path, "/"), "/")
	return instanceDiscovery{
		TenantDiscovery: "https://" + authorize.Host + "/" + url.PathEscape(tenant) + "/v2.0/.well-known/openid-configuration",
		APIVersion:      "1.1",
		Metadata:        instances(authorize.Host),
	}, nil
}

type userRealm struct {
	Version       string `json:"ver"`
	AccountType   string `json:"account_type"`
	Domain        string `json:"domain_name"`
	CloudInstance string `json:"cloud_instance_name"`
	CloudAudience string `json:"cloud_audience_urn"`
}

// userRealm says Managed for everybody, which leads MSAL to send the password
// to the token endpoint; federation isn't played.
func (s *Server) userRealm(r *http.Request) (any, *Failure) {
	_, domain, _ := strings.Cut(r.PathValue("username"), "@")
	return userRealm{
		Version:       "1.0",
		AccountType:   "Managed",
		Domain:        cmp.Or(domain, s.opts.Tenant), // MSAL refuses an empty one
		CloudInstance: r.Host,
		CloudAudience: "urn:federation:MicrosoftOnline",
	}, nil
}
