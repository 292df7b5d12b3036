// Package azcredential gives the tokens of a client of package msal to the Azure
// SDK for Go: it makes an azcore.TokenCredential of it.
//
//	client, err := msal.NewPublic(clientID, &msal.Options{Cache: cache, Capabilities: []string{"cp1"}})
//	credential := azcredential.New(client, &azcredential.Options{Account: &account})
//	secrets, err := azsecrets.NewClient(vaultURL, credential, nil)
//
// Nobody is asked anything: where a person has to sign in, the error says so.
// azidentity signs in by itself; with this package the program does, by whatever
// flow it likes, and its tokens are kept where package msal keeps them.
package azcredential

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"golang.org/x/sync/singleflight"

	"github.com/msalext/msalext/msal"
)

// Options say whose tokens a [Credential] has. Nil is the zero value.
type Options struct {
	// Account is whose tokens they are. Nil: the client's own, which
	// [msal.OwnTokens] gets.
	Account *public.Account
	// WithoutCAE is asked in place of the client where a token must not be one
	// for continuous access evaluation, which its user would not understand to
	// renew: where EnableCAE isn't set, which the SDK's clients always do. Make
	// it of a client without the capability cp1. Nil: the client itself.
	WithoutCAE msal.SilentClient
}

// Credential is an azcore.TokenCredential. It is safe for concurrent use, and
// keeps no token: the client's cache does.
type Credential struct {
	client  msal.SilentClient
	options Options
	flight  singleflight.Group
}

var _ azcore.TokenCredential = (*Credential)(nil)

// New makes a credential of a client: *[msal.Public] or *[msal.Confidential] for
// the tokens of an account, [msal.OwnTokens] for an application's own. Make the
// client with the capability cp1, so that services which know continuous access
// evaluation give it tokens that live for a day and can be revoked; their
// challenges are answered by the SDK, with this credential.
func New(client msal.SilentClient, o *Options) *Credential {
	c := &Credential{client: client}
	if o != nil {
		c.options = *o
	}
	return c
}

// GetToken gets a token for the scopes: one of the cache, or, where the options
// have claims, a new one that has them. TenantID is another tenant than the
// client's. Calls for the same token that come at once share one request; each
// ends with its own context.
//
// Errors are the client's: [msal.ErrNoToken], and an [*msal.Error] that means
// [msal.ErrInteractionRequired], say that a person has to sign in. No scopes are
// [msal.ErrOptions].
func (c *Credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) == 0 {
		return azcore.AccessToken{}, fmt.Errorf("msalext: getting a token for the Azure SDK: %w: no scope; pass such as https://vault.azure.net/.default", msal.ErrOptions)
	}
	if err := ctx.Err(); err != nil {
		return azcore.AccessToken{}, err
	}
	answer := c.flight.DoChan(key(o), func() (any, error) {
		// Others may wait for it when the first caller has left.
		return c.acquire(context.WithoutCancel(ctx), o)
	})
	select {
	case r := <-answer:
		if r.Err != nil {
			return azcore.AccessToken{}, r.Err
		}
		return r.Val.(azcore.AccessToken), nil
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	}
}

// key tells requests for different tokens apart.
func key(o policy.TokenRequestOptions) string {
	quoted := []string{strconv.Quote(o.Claims), strconv.Quote(o.TenantID), strconv.FormatBool(o.EnableCAE)}
	for _, scope := range slices.Sorted(slices.Values(o.Scopes)) {
		quoted = append(quoted, strconv.Quote(scope))
	}
	return strings.Join(quoted, " ")
}

func (c *Credential) acquire(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	client := c.client
	if !o.EnableCAE && c.options.WithoutCAE != nil {
		client = c.options.WithoutCAE
	}
	r, err := client.Silent(ctx, o.Scopes, &msal.SilentOptions{Account: c.options.Account, Claims: o.Claims, TenantID: o.TenantID})
	if err != nil {
		return azcore.AccessToken{}, err
	}
	return azcore.AccessToken{Token: r.AccessToken, ExpiresOn: r.ExpiresOn, RefreshOn: r.Metadata.RefreshOn}, nil
}
