package msal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// Confidential is a client for programs that can keep a secret, such as web
// applications and services (RFC 6749 §2.1). It stands for MSAL Python's
// ConfidentialClientApplication. It is safe for concurrent use.
type Confidential struct {
	application

	msal       confidential.Client
	fresh      func() (confidential.Client, error) // sees no access token in the cache
	people     *Confidential                       // asks for people's tokens; this one, where there is no region
	credential Credential
}

// NewConfidential makes a client for an application, given by its client id and
// what it proves that by. Nil options are all defaults; the rest is as for
// [NewPublic]. A zero credential is a [*CredentialError].
func NewConfidential(clientID string, credential Credential, o *Options) (*Confidential, error) {
	full, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if credential.kind == "" {
		return nil, &CredentialError{Kind: ErrCredential, Err: errors.New("it is the zero value"), Hint: "make one, for example by Secret"}
	}
	full.Region = full.inRegion()
	c := &Confidential{credential: credential}
	if err := c.application.init(clientID, full); err != nil {
		return nil, err
	}
	if err := c.join(); err != nil {
		return nil, err
	}
	if c.people, err = c.forPeople(); err != nil {
		return nil, err
	}
	return c, nil
}

// join makes the clients of MSAL's that share the cache.
func (c *Confidential) join() (err error) {
	c.msal, err = c.newMSAL(c.accessor)
	c.fresh = onceMade(c.newMSAL, c.accessor)
	return err
}

// newMSAL makes another of MSAL's clients with the same options but for the
// cache; nil is its memory.
func (c *Confidential) newMSAL(accessor cache.ExportReplace) (confidential.Client, error) {
	opts := append(slices.Clone(c.credential.options),
		confidential.WithInstanceDiscovery(!c.options.DisableInstanceDiscovery), confidential.WithClientCapabilities(c.options.Capabilities),
		confidential.WithAzureRegion(c.options.Region), confidential.WithHTTPClient(c.network), confidential.WithCache(accessor))
	client, err := confidential.New(c.options.Authority, c.clientID, c.credential.inner, opts...)
	if err != nil {
		return client, fmt.Errorf("msalext: making a client: %w", err)
	}
	return client, nil
}

// MSAL returns the client of MSAL's that does the protocol. It shares cache and
// network with c, and what either does the other one sees. Its errors are
// MSAL's own, and can hold secrets (see [FromMSAL]). With [Options.Region] it
// asks the region's token service for people's tokens as well, which c doesn't.
func (c *Confidential) MSAL() confidential.Client { return c.msal }

// ForClientOptions is what [Confidential.ForClient] asks for. Nil and the zero
// value ask for nothing.
type ForClientOptions struct {
	// ForceRefresh gets a new token, although one is in the cache.
	ForceRefresh bool
	// Claims are those of a claims challenge, as JSON. A token of the cache is
	// not good enough then.
	Claims string
	// TenantID is another tenant than the authority's.
	TenantID string
	// Scheme asks for another kind of token than a bearer token.
	Scheme public.AuthenticationScheme
	// MSAL are further options of MSAL's, such as confidential.WithFMIPath. What
	// is set above goes before them.
	MSAL []confidential.AcquireByCredentialOption
}

// ForClient returns a token of the application itself (RFC 6749 §4.4): one of
// the cache, or else a new one. The scopes are those of one API, as
// https://graph.microsoft.com/.default. It stands for MSAL Python's
// acquire_token_for_client. A refusal is an [*Error].
func (c *Confidential) ForClient(ctx context.Context, scopes []string, o *ForClientOptions) (Result, error) {
	return c.forClient(ctx, &exchange{}, scopes, o)
}

func (c *Confidential) forClient(ctx context.Context, x *exchange, scopes []string, o *ForClientOptions) (Result, error) {
	if o == nil {
		o = &ForClientOptions{}
	}
	client := c.msal
	if o.ForceRefresh {
		var err error
		if client, err = c.fresh(); err != nil {
			return Result{}, err
		}
	}
	opts := slices.Clone(o.MSAL)
	if o.TenantID != "" {
		opts = append(opts, confidential.WithTenantID(o.TenantID))
	}
	if o.Claims != "" {
		opts = append(opts, confidential.WithClaims(o.Claims))
	}
	if o.Scheme != nil {
		opts = append(opts, confidential.WithAuthenticationScheme(o.Scheme))
	}
	x.scheme, x.fresh = o.Scheme, o.ForceRefresh
	return c.call(ctx, x, func(ctx context.Context) (public.AuthResult, error) {
		return client.AcquireTokenByCredential(ctx, scopes, opts...)
	})
}
