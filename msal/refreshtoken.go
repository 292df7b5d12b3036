package msal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
)

// RefreshTokenOptions is what RefreshToken asks for. Nil and the zero value ask
// for nothing.
type RefreshTokenOptions struct {
	// Claims are those of a claims challenge, as JSON.
	Claims string
	// TenantID is another tenant than the authority's.
	TenantID string
}

// RefreshToken redeems a refresh token that this application got elsewhere, for
// example from ADAL or from a store of its own, and signs its person in: the
// tokens that come of it are stored under the account that they name, and
// Silent goes on with them. It stands for MSAL Python's
// acquire_token_by_refresh_token. Programs whose tokens were in the cache all
// along need Silent and not this.
//
// The token itself isn't stored. Where the provider issues no new one with the
// answer, as Entra ID does, Silent can't refresh later. A refusal is an
// [*Error], mostly [ErrInvalidGrant]; so is an empty token.
func (p *Public) RefreshToken(ctx context.Context, refreshToken string, scopes []string, o *RefreshTokenOptions) (Result, error) {
	if o == nil {
		o = &RefreshTokenOptions{}
	}
	once, err := p.importing(refreshToken)
	if err != nil {
		return Result{}, err
	}
	client, err := p.newMSAL(once)
	if err != nil {
		return Result{}, err
	}
	opts := []public.AcquireSilentOption{public.WithSilentAccount(once.account), public.WithTenantID(o.TenantID)}
	return p.call(ctx, &exchange{claims: o.Claims}, func(ctx context.Context) (public.AuthResult, error) {
		return client.AcquireTokenSilent(ctx, scopes, opts...)
	})
}

// RefreshToken is [Public.RefreshToken] for a confidential client.
func (c *Confidential) RefreshToken(ctx context.Context, refreshToken string, scopes []string, o *RefreshTokenOptions) (Result, error) {
	if o == nil {
		o = &RefreshTokenOptions{}
	}
	once, err := c.importing(refreshToken)
	if err != nil {
		return Result{}, err
	}
	return c.redeemOnce(ctx, once, scopes, o)
}

// redeemOnce makes the one call that once is for.
func (c *Confidential) redeemOnce(ctx context.Context, once *onceRedeemed, scopes []string, o *RefreshTokenOptions) (Result, error) {
	client, err := c.people.newMSAL(once)
	if err != nil {
		return Result{}, err
	}
	opts := []confidential.AcquireSilentOption{confidential.WithSilentAccount(once.account), confidential.WithTenantID(o.TenantID)}
	return c.call(ctx, &exchange{claims: o.Claims}, func(ctx context.Context) (public.AuthResult, error) {
		return client.AcquireTokenSilent(ctx, scopes, opts...)
	})
}

// importing makes the cache for a refresh token whose tokens are to be stored.
func (a *application) importing(refreshToken string) (*onceRedeemed, error) {
	if refreshToken == "" {
		return nil, fmt.Errorf("msalext: redeeming a refresh token: %w: it is empty", ErrInvalidGrant)
	}
	once, err := a.redeeming(refreshToken)
	if err != nil {
		return nil, err
	}
	once.store = a.accessor
	return once, nil
}

// redeeming makes the cache of a client of MSAL's that is to redeem one refresh
// token and nothing else: MSAL has no call for that, but finds what is in a
// cache. The account is made up.
func (a *application) redeeming(refreshToken string) (*onceRedeemed, error) {
	once := &onceRedeemed{account: public.Account{HomeAccountID: "msalext-" + rand.Text(), Environment: a.host}}
	entry := map[string]string{
		"home_account_id": once.account.HomeAccountID, "environment": a.host, "credential_type": "RefreshToken",
		"client_id": a.clientID, "secret": refreshToken,
	}
	application := map[string]string{"environment": a.host, "client_id": a.clientID}
	var err error
	once.seed, err = json.Marshal(map[string]map[string]map[string]string{
		"RefreshToken": {"token": entry}, "AppMetadata": {"application": application},
	})
	return once, err
}

// onceRedeemed is the cache of a client that makes one call. MSAL reads it
// twice: to look for the token, and, once it has redeemed it, before it adds
// what it got.
type onceRedeemed struct {
	account public.Account
	seed    []byte
	store   access // nil: what MSAL got isn't stored
	looked  bool
}

var _ cache.ExportReplace = (*onceRedeemed)(nil)

// Replace gives MSAL the token, and nothing the second time, so that what it
// has afterwards is all new.
func (r *onceRedeemed) Replace(_ context.Context, u cache.Unmarshaler, _ cache.ReplaceHints) error {
	if r.looked {
		return u.Unmarshal(nil)
	}
	r.looked = true
	return u.Unmarshal(r.seed)
}

// Export stores what MSAL got: a sign-in, from the cache's view.
func (r *onceRedeemed) Export(ctx context.Context, m cache.Marshaler, _ cache.ExportHints) error {
	if r.store == nil {
		return nil
	}
	issued, err := m.Marshal()
	if err != nil {
		return fmt.Errorf("msalext: MSAL could not serialize its cache: %w", err)
	}
	keepIssued(ctx, r.store, issued, tokencache.OpAcquire)
	return nil
}

// keepIssued stores entries that were just issued. A cache keeps what its store
// would not take, and has told OnError; the tokens reach the caller all the
// same.
func keepIssued(ctx context.Context, a access, entries []byte, op tokencache.Op) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTimeout) // ctx may have ended in the moment they came
	defer cancel()
	_, _ = a.plain().cache.Merge(ctx, persist.View{}, entries, op)
	a.used(ctx)
}
