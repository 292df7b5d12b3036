package msal

import (
	"context"
	"maps"
	"net/http"
	"net/url"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// PasswordOptions is what Password asks for. Nil and the zero value ask for
// nothing.
type PasswordOptions struct {
	// Claims are those of a claims challenge, as JSON.
	Claims string
	// TenantID is another tenant than the authority's.
	TenantID string
	// Scheme asks for another kind of token than a bearer token. A confidential
	// client refuses it with ErrOptions, since MSAL has no such thing.
	Scheme public.AuthenticationScheme
}

// Password signs a person in with user name and password (RFC 6749 §4.3), and
// stores the tokens. It stands for MSAL Python's
// acquire_token_by_username_password. Microsoft advises against it: it teaches
// people to give their password to programs, and it fails for everybody who has
// to do more than know it, with an [*Error] that means
// [ErrInteractionRequired]. Wrong passwords are [ErrInvalidGrant].
func (p *Public) Password(ctx context.Context, scopes []string, username, password string, o *PasswordOptions) (Result, error) {
	if o == nil {
		o = &PasswordOptions{}
	}
	opts := []public.AcquireByUsernamePasswordOption{public.WithTenantID(o.TenantID)}
	if o.Claims != "" {
		opts = append(opts, public.WithClaims(o.Claims))
	}
	if o.Scheme != nil {
		opts = append(opts, public.WithAuthenticationScheme(o.Scheme))
	}
	return p.call(ctx, &exchange{scheme: o.Scheme}, func(ctx context.Context) (public.AuthResult, error) {
		return passwordClient(p.msal).AcquireTokenByUsernamePassword(ctx, scopes, username, password, opts...)
	})
}

// passwordClient is what MSAL has deprecated, since programs should not see
// passwords; MSAL Python has it all the same.
type passwordClient interface {
	AcquireTokenByUsernamePassword(ctx context.Context, scopes []string, username, password string,
		opts ...public.AcquireByUsernamePasswordOption) (public.AuthResult, error)
}

// Password is [Public.Password] for a confidential client. Unlike MSAL's own, it
// proves with the client's credential which application asks, as identity
// providers demand of those.
func (c *Confidential) Password(ctx context.Context, scopes []string, username, password string, o *PasswordOptions) (Result, error) {
	if o == nil {
		o = &PasswordOptions{}
	}
	if o.Scheme != nil {
		return Result{}, unusable("PasswordOptions.Scheme", "MSAL has it for public clients alone")
	}
	proven := *c.people
	proven.network = &exchanges{Doer: &proving{c.network.Doer, c.credential}}
	client, err := proven.newMSAL(c.accessor)
	if err != nil {
		return Result{}, err
	}
	opts := []confidential.AcquireByUsernamePasswordOption{confidential.WithTenantID(o.TenantID)}
	if o.Claims != "" {
		opts = append(opts, confidential.WithClaims(o.Claims))
	}
	return proven.call(ctx, &exchange{}, func(ctx context.Context) (public.AuthResult, error) {
		return client.AcquireTokenByUsernamePassword(ctx, scopes, username, password, opts...)
	})
}

// proving adds the client's credential to token requests that MSAL sends
// without.
type proving struct {
	Doer

	credential Credential
}

// Do sends the request.
func (p *proving) Do(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPost {
		return p.Doer.Do(req)
	}
	form := sentForm(req)
	if !form.Has("grant_type") || form.Has("client_secret") || form.Has("client_assertion") {
		return p.Doer.Do(req)
	}
	endpoint := url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Path: req.URL.Path, RawPath: req.URL.RawPath}
	proof, err := p.credential.proof(req.Context(), AssertionOptions{ClientID: form.Get("client_id"), TokenEndpoint: endpoint.String()})
	if err != nil {
		return nil, err
	}
	maps.Copy(form, proof)
	return p.Doer.Do(withForm(req, form))
}
