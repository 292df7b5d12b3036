package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// provider is what the identity provider says of itself (OpenID Connect Discovery
// §3).
type provider struct {
	Issuer     string `json:"issuer"`
	EndSession string `json:"end_session_endpoint"`
	// SendsIssuer: its answers name the issuer (RFC 9207 §3).
	SendsIssuer bool `json:"authorization_response_iss_parameter_supported"`
}

const (
	maxMetadata  = 1 << 20
	metadataTime = 30 * time.Second // as MSAL gives each request
)

// provider asks for it; the network remembers it for a day.
func (a *App) provider(ctx context.Context) (provider, error) {
	var p provider
	ctx, cancel := context.WithTimeout(ctx, metadataTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, metadataURL(a.cfg.Authority), nil)
	if err != nil {
		return p, fmt.Errorf("msalext: ask the identity provider about itself: %w", err)
	}
	resp, err := a.network.Do(req)
	if err != nil {
		return p, fmt.Errorf("msalext: ask the identity provider about itself: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return p, fmt.Errorf("msalext: ask the identity provider about itself: status %d", resp.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxMetadata)).Decode(&p); err != nil || p.Issuer == "" {
		return p, fmt.Errorf("msalext: ask the identity provider about itself: it names no issuer")
	}
	return p, nil
}

// metadataURL is where MSAL looks as well: AD FS has no version in it.
func metadataURL(authority string) string {
	authority = strings.TrimSuffix(authority, "/")
	version := "/v2.0"
	if u, err := url.Parse(authority); err == nil && strings.EqualFold(strings.Trim(u.Path, "/"), "adfs") {
		version = ""
	}
	return authority + version + "/.well-known/openid-configuration"
}

// issuerFor is the issuer of somebody of a tenant; authorities of several tenants
// name a placeholder.
func (p *provider) issuerFor(tenant string) string {
	return strings.ReplaceAll(p.Issuer, "{tenantid}", tenant)
}
