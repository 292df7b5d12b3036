package msal

import (
	"context"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// AuthCodeURL is the function [AuthCodeURL] with this client, whose id goes
// before that of the options.
func (p *Public) AuthCodeURL(ctx context.Context, o AuthCodeOptions, nonce string) (string, error) {
	o.ClientID = p.clientID
	return AuthCodeURL(ctx, PublicCode(p.msal), o, nonce)
}

// AuthCodeURL is the function [AuthCodeURL] with this client, whose id goes
// before that of the options.
func (c *Confidential) AuthCodeURL(ctx context.Context, o AuthCodeOptions, nonce string) (string, error) {
	o.ClientID = c.clientID
	return AuthCodeURL(ctx, ConfidentialCode(c.people.msal), o, nonce)
}

// RedeemCode is the function [RedeemCode] with this client.
func (p *Public) RedeemCode(ctx context.Context, r CodeRequest, nonce string) (Result, error) {
	return p.call(ctx, &exchange{}, func(ctx context.Context) (public.AuthResult, error) {
		return RedeemCode(ctx, PublicCode(p.msal), r, nonce)
	})
}

// RedeemCode is the function [RedeemCode] with this client.
func (c *Confidential) RedeemCode(ctx context.Context, r CodeRequest, nonce string) (Result, error) {
	return c.call(ctx, &exchange{}, func(ctx context.Context) (public.AuthResult, error) {
		return RedeemCode(ctx, ConfidentialCode(c.people.msal), r, nonce)
	})
}
