package msal

import (
	"context"
	"errors"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/tokencache"
)

// BehalfOptions is what [Confidential.OnBehalfOf] asks for. Nil and the zero
// value ask for nothing.
type BehalfOptions struct {
	// ForceRefresh gets new tokens, although some are in the cache.
	ForceRefresh bool
	// Claims are those of a claims challenge, as JSON. Tokens of the cache are
	// not good enough then, and the assertion is redeemed again.
	Claims string
	// TenantID is another tenant than the authority's. An authority without a
	// tenant of its own, such as common, needs that of the assertion (its claim
	// tid) where the person may be a guest.
	TenantID string
}

// OnBehalfOf returns a token with which an API calls another API for the person
// who called it (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow).
// The assertion is the access token that the API was called with, which the
// caller has validated before: neither MSAL nor this does. It stands for MSAL
// Python's acquire_token_on_behalf_of, which asks each time, and for MSAL for
// Go's own method, which can't load such tokens from a persisted cache. This one
// keeps them in the client's: another call, another goroutine or another process
// with the same assertion finds them, without a request.
//
// What is found was issued for this very assertion (a hash of it is stored, and
// compared), this application, tenant and cloud, and for all of the scopes, and
// is good for another five minutes at least. Where there is no such token, the
// refresh token that came with an earlier one brings it; and the assertion does
// where that is refused too, or the first time. Calls for one assertion at once
// wait for each other, so that they lead to one request.
//
// Five minutes after an assertion has expired (its claim exp; 24 hours where it
// isn't a JWT with one), nothing is found any more, and the next token that is
// stored by any process takes such entries away. Whoever works on for longer
// than the person's call needs a sign-in of its own. None of the entries makes
// the person an account of this client, and Silent doesn't find them; but where
// the person is signed out here ([Confidential.Remove]), they go as well.
//
// To find a token takes a lookup, but to store one takes longer the more is in
// the cache. An API that thousands of people call gives each of them, or each
// tenant, a cache and a client of its own ([PartitionedCaches]).
//
// A refusal is an [*Error]. One that means [ErrInteractionRequired] is for the
// person to resolve; so the API answers its caller 401 with the error's Claims
// as a claims challenge. A store that can't be read is an error, too; one that
// can't be written isn't, as for every token that was just issued.
func (c *Confidential) OnBehalfOf(ctx context.Context, assertion string, scopes []string, o *BehalfOptions) (Result, error) {
	if o == nil {
		o = &BehalfOptions{}
	}
	b := c.behalf(assertion, scopes, o)
	done, err := behalfTurns.wait(ctx, behalfTurn{c.cache, b.hash})
	if err != nil {
		return Result{}, err
	}
	defer done()
	if o.ForceRefresh || o.Claims != "" || b.expired(time.Now()) {
		return b.byAssertion(ctx)
	}
	cached, found, err := b.cached(ctx)
	switch {
	case err != nil:
		return Result{}, err
	case found && !cached.due(time.Now()):
		c.accessor.used(ctx)
		return cached, nil
	}
	fresh, err := b.renewed(ctx)
	if err != nil && found {
		return cached, nil // it is still good, and the next call tries again
	}
	return fresh, err
}

// behalf is one call on behalf of a person.
type behalf struct {
	*Confidential

	assertion string
	hash      string    // of the assertion
	home      string    // the person's home account id, if the assertion tells
	expires   time.Time // when the assertion does
	scopes    []string
	asked     *BehalfOptions
}

func (c *Confidential) behalf(assertion string, scopes []string, o *BehalfOptions) *behalf {
	claims := parseAssertion(assertion)
	return &behalf{Confidential: c, assertion: assertion, scopes: scopes, asked: o,
		hash: assertionHash(assertion), home: claims.home(), expires: claims.expiry(time.Now())}
}

// due tells whether the provider wants the token renewed already (refresh_in).
func (r Result) due(now time.Time) bool {
	return !r.Metadata.RefreshOn.IsZero() && now.After(r.Metadata.RefreshOn)
}

// renewed gets a token by the stored refresh token, else by the assertion.
func (b *behalf) renewed(ctx context.Context) (Result, error) {
	stored, err := b.search(ctx, tokencache.RefreshTokens)
	if err != nil {
		return Result{}, err
	}
	if len(stored) == 0 {
		return b.byAssertion(ctx)
	}
	if known := stored[0].Time(fieldExpires); !known.IsZero() && known.Before(b.expires) {
		b.expires = known // where the assertion doesn't tell, it counts from its first use
	}
	fresh, err := b.byRefreshToken(ctx, stored[0].Secret())
	if refusal, ok := errors.AsType[*Error](err); ok && !refusal.busy() {
		return b.byAssertion(ctx)
	}
	return fresh, err
}

// byAssertion redeems the assertion with a client of its own, since MSAL would
// ask the cache of the one that has it, and fail.
func (b *behalf) byAssertion(ctx context.Context) (Result, error) {
	client, err := b.people.newMSAL(nil)
	if err != nil {
		return Result{}, err
	}
	opts := []confidential.AcquireOnBehalfOfOption{confidential.WithTenantID(b.asked.TenantID)}
	if b.asked.Claims != "" {
		opts = append(opts, confidential.WithClaims(b.asked.Claims))
	}
	fresh, err := b.call(ctx, &exchange{}, func(ctx context.Context) (public.AuthResult, error) {
		return client.AcquireTokenOnBehalfOf(ctx, b.assertion, b.scopes, opts...)
	})
	if err != nil {
		return Result{}, err
	}
	b.keep(ctx, fresh, tokencache.OpAcquire)
	return fresh, nil
}

// byRefreshToken redeems a refresh token that the assertion brought earlier. A
// person who was signed out meanwhile stays so.
func (b *behalf) byRefreshToken(ctx context.Context, secret string) (Result, error) {
	once, err := b.redeeming(secret)
	if err != nil {
		return Result{}, err
	}
	fresh, err := b.redeemOnce(ctx, once, b.scopes, &RefreshTokenOptions{TenantID: b.asked.TenantID})
	if err != nil {
		return Result{}, err
	}
	b.keep(ctx, fresh, tokencache.OpSilent)
	return fresh, nil
}

// tenant is what MSAL takes for the realm of a token.
func (b *behalf) tenant() string { return tenantOf(b.asked.TenantID, b.options.Authority) }

// keep stores what was issued, unless the assertion has expired, and removes
// what others have no use for any more.
func (b *behalf) keep(ctx context.Context, fresh Result, op tokencache.Op) {
	if b.expired(time.Now()) {
		return
	}
	entries, err := b.entries(fresh, time.Now())
	if err != nil {
		return // it is made of texts, which can be written
	}
	keepIssued(ctx, b.accessor, entries, op)
	sweepBehalf(ctx, b.cache)
}

// cached returns the token of an earlier call.
func (b *behalf) cached(ctx context.Context) (Result, bool, error) {
	tokens, err := b.search(ctx, tokencache.AccessTokens)
	if err != nil || len(tokens) == 0 {
		return Result{}, false, err
	}
	identities, err := b.search(ctx, tokencache.IDTokens)
	if err != nil {
		return Result{}, false, err
	}
	r, ok := behalfResult(latestToken(tokens), identities)
	return r, ok, nil
}
