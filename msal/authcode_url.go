package msal

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const beginning = "msalext: beginning an authorization code flow: %w"

// reserved are the parameters that the flow itself sends.
var reserved = []string{
	"client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
	"prompt", "login_hint", "domain_hint", "max_age", "response_mode", "claims", "request", "request_uri",
}

func (o *AuthCodeOptions) check() error {
	redirect, err := url.Parse(o.RedirectURI)
	switch {
	case o.ClientID == "":
		return fmt.Errorf("%w: no ClientID", ErrFlow)
	case err != nil || !redirect.IsAbs() || redirect.Fragment != "":
		return fmt.Errorf("%w: the RedirectURI has to be a whole URL without a fragment", ErrFlow)
	case o.MaxAge != nil && *o.MaxAge < 0:
		return fmt.Errorf("%w: MaxAge is less than 0", ErrFlow)
	}
	for _, name := range reserved {
		if o.Query.Has(name) {
			return fmt.Errorf("%w: %s in Query; the flow sends it itself", ErrFlow, name)
		}
	}
	for _, scope := range o.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\r\n") {
			return fmt.Errorf("%w: the scope %q", ErrFlow, scope)
		}
	}
	return o.checkResponse()
}

// checkResponse refuses an ID token where the URL that the browser asks for has
// it: servers log that, and the next page is told (OAuth 2.0 Multiple Response
// Type Encoding Practices §3).
func (o *AuthCodeOptions) checkResponse() error {
	switch o.responseType() {
	case "code":
		return nil
	case hybridType, idTokenType:
		if o.ResponseMode != "form_post" && o.ResponseMode != "fragment" {
			return fmt.Errorf("%w: the response type %q needs the ResponseMode form_post or fragment", ErrFlow, o.ResponseType)
		}
		return nil
	}
	return fmt.Errorf("%w: the response type %.100q; only code, code id_token and id_token can be completed", ErrFlow, o.ResponseType)
}

// The response types beside code.
const (
	hybridType  = "code id_token" // OpenID Connect Core §3.3
	idTokenType = "id_token"      // OpenID Connect Core §3.2
)

// responseType is the one asked for, whose words may be in any order.
func (o *AuthCodeOptions) responseType() string {
	words := strings.Fields(o.ResponseType)
	if len(words) == 0 {
		return "code"
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// url is MSAL's URL, and what MSAL can't add to it.
func (o *AuthCodeOptions) url(ctx context.Context, client CodeClient, scopes []string, own map[string]string) (string, error) {
	base, err := client.CodeURL(ctx, CodeURLRequest{ClientID: o.ClientID, RedirectURI: o.RedirectURI, Scopes: scopes, Claims: o.Claims})
	if err != nil {
		return "", FromMSAL(err)
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf(beginning, fmt.Errorf("MSAL's URL: %w", err))
	}
	query := u.Query()
	for name, values := range o.Query {
		query[name] = values
	}
	hints := map[string]string{
		"prompt": string(o.Prompt), "login_hint": o.LoginHint, "domain_hint": o.DomainHint, "response_mode": o.ResponseMode,
	}
	for _, params := range []map[string]string{own, hints} {
		for name, value := range params {
			if value != "" {
				query.Set(name, value)
			}
		}
	}
	if o.MaxAge != nil {
		query.Set("max_age", strconv.Itoa(*o.MaxAge))
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}
