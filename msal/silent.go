package msal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/tokencache"
)

// ErrNoToken: nothing in the cache answers the request, so nobody was asked.
var ErrNoToken = errors.New("no token in the cache")

// SilentOptions is what Silent asks for. Nil is the zero value.
type SilentOptions struct {
	// Account is whose token it shall be, one of Accounts. Nil means the
	// client's own token, which a confidential client can have.
	Account *public.Account
	// ForceRefresh gets a new token, although one is in the cache.
	ForceRefresh bool
	// Claims are those of a claims challenge, as JSON ([ParseClaimsChallenge]).
	// A token of the cache is not good enough then.
	Claims string
	// TenantID is another tenant than the authority's.
	TenantID string
	// Scheme asks for another kind of token than a bearer token.
	Scheme public.AuthenticationScheme
}

// errNobodys: MSAL would take the application's own tokens for such an
// account's, since they have no account id either.
var errNobodys = fmt.Errorf("msalext: acquiring a token silently: %w of an account without a HomeAccountID; take one of Accounts", ErrNoToken)

// Silent returns a token without asking a person: one of the cache, or a new one
// that the cache's refresh token brings. It stands for MSAL Python's
// acquire_token_silent and acquire_token_silent_with_error.
//
// [ErrNoToken]: nothing in the cache helps, and nobody was asked. An [*Error] is
// what the provider said; where it means [ErrInteractionRequired] a person has
// to sign in, with the error's Claims. All else is trouble on the way, or with
// the store. [Public.Acquire] tells them apart.
func (p *Public) Silent(ctx context.Context, scopes []string, o *SilentOptions) (Result, error) {
	if o == nil || o.Account == nil {
		return Result{}, fmt.Errorf("msalext: acquiring a token silently: %w of the client itself, since it is public; set SilentOptions.Account", ErrNoToken)
	}
	if o.Account.HomeAccountID == "" {
		return Result{}, errNobodys
	}
	client := p.msal
	if o.ForceRefresh {
		var err error
		if client, err = p.fresh(); err != nil {
			return Result{}, err
		}
	}
	opts := []public.AcquireSilentOption{public.WithSilentAccount(*o.Account)}
	if o.TenantID != "" {
		opts = append(opts, public.WithTenantID(o.TenantID))
	}
	if o.Claims != "" {
		opts = append(opts, public.WithClaims(o.Claims))
	}
	if o.Scheme != nil {
		opts = append(opts, public.WithAuthenticationScheme(o.Scheme))
	}
	return p.call(ctx, &exchange{scheme: o.Scheme, fresh: o.ForceRefresh}, func(ctx context.Context) (public.AuthResult, error) {
		return client.AcquireTokenSilent(ctx, scopes, opts...)
	})
}

// Silent is [Public.Silent] for a confidential client. With an Account it is
// about a person's token. Without one it is about the application's own, which
// it finds in the cache and renews in time, and where there is none answers
// [ErrNoToken]; ForceRefresh and Claims get a new one, as ForClient does.
func (c *Confidential) Silent(ctx context.Context, scopes []string, o *SilentOptions) (Result, error) {
	if o == nil {
		o = &SilentOptions{}
	}
	if o.Account == nil {
		return c.silentOwn(ctx, scopes, o)
	}
	if o.Account.HomeAccountID == "" {
		return Result{}, errNobodys
	}
	client, fresh := c.people.msal, o.ForceRefresh || o.Claims != "" // MSAL refuses claims here
	if fresh {
		var err error
		if client, err = c.people.fresh(); err != nil {
			return Result{}, err
		}
	}
	opts := []confidential.AcquireSilentOption{confidential.WithSilentAccount(*o.Account)}
	if o.TenantID != "" {
		opts = append(opts, confidential.WithTenantID(o.TenantID))
	}
	if o.Scheme != nil {
		opts = append(opts, confidential.WithAuthenticationScheme(o.Scheme))
	}
	return c.call(ctx, &exchange{scheme: o.Scheme, claims: o.Claims, fresh: fresh}, func(ctx context.Context) (public.AuthResult, error) {
		return client.AcquireTokenSilent(ctx, scopes, opts...)
	})
}

// silentOwn is Silent for the application itself. MSAL would ask where the
// endpoints are, and have the credential prove who asks, before it came to the
// request that must not be sent; so what isn't in the cache is found out before.
func (c *Confidential) silentOwn(ctx context.Context, scopes []string, o *SilentOptions) (Result, error) {
	x := &exchange{cached: !o.ForceRefresh && o.Claims == ""}
	if x.cached {
		switch found, err := c.cache.Search(ctx, c.own(scopes, o)); {
		case err != nil:
			return Result{}, err
		case len(found) == 0:
			return Result{}, x.explain(errOnlyCached)
		}
	}
	return c.forClient(ctx, x, scopes, &ForClientOptions{ForceRefresh: o.ForceRefresh, Claims: o.Claims, TenantID: o.TenantID, Scheme: o.Scheme})
}

// own is what MSAL looks for as a token of the application itself.
func (c *Confidential) own(scopes []string, o *SilentOptions) tokencache.Query {
	q := tokencache.Query{ClientID: c.clientID, Environment: c.host, Aliases: true, Realm: tenantOf(o.TenantID, c.options.Authority),
		Scopes: scopes, Now: time.Now().Add(tokenReserve), Fields: map[string]string{"home_account_id": ""}}
	if o.Scheme != nil {
		q.Fields["keyid"] = o.Scheme.KeyID()
	}
	return q
}
