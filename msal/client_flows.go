package msal

import (
	"context"
	"net/url"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// BeginAuthCode is the function [BeginAuthCode] with this client, whose id goes
// before that of the options.
func (p *Public) BeginAuthCode(ctx context.Context, o AuthCodeOptions) (AuthCodeFlow, error) {
	o.ClientID = p.clientID
	return BeginAuthCode(ctx, PublicCode(p.msal), o)
}

// BeginAuthCode is the function [BeginAuthCode] with this client, whose id goes
// before that of the options.
func (c *Confidential) BeginAuthCode(ctx context.Context, o AuthCodeOptions) (AuthCodeFlow, error) {
	o.ClientID = c.clientID
	return BeginAuthCode(ctx, ConfidentialCode(c.people.msal), o)
}

// CompleteAuthCode is [AuthCodeFlow.Complete] with this client. Where the answer
// has no ID token, nothing is stored.
func (p *Public) CompleteAuthCode(ctx context.Context, f AuthCodeFlow, answer url.Values, scopes []string) (Result, error) {
	return p.call(ctx, &exchange{signIn: true}, func(ctx context.Context) (public.AuthResult, error) {
		return f.Complete(ctx, PublicCode(p.msal), answer, scopes)
	})
}

// CompleteAuthCode is [AuthCodeFlow.Complete] with this client. Where the answer
// has no ID token, nothing is stored.
func (c *Confidential) CompleteAuthCode(ctx context.Context, f AuthCodeFlow, answer url.Values, scopes []string) (Result, error) {
	return c.call(ctx, &exchange{signIn: true}, func(ctx context.Context) (public.AuthResult, error) {
		return f.Complete(ctx, ConfidentialCode(c.people.msal), answer, scopes)
	})
}

// CompleteAuthCodeVerified is [AuthCodeFlow.CompleteVerified] with this client.
// Where the answer has no ID token, nothing is stored.
func (p *Public) CompleteAuthCodeVerified(ctx context.Context, f AuthCodeFlow, v IDTokenVerifier, answer url.Values, scopes []string) (Result, error) {
	return p.call(ctx, &exchange{signIn: true}, func(ctx context.Context) (public.AuthResult, error) {
		return f.CompleteVerified(ctx, PublicCode(p.msal), v, answer, scopes)
	})
}

// CompleteAuthCodeVerified is [AuthCodeFlow.CompleteVerified] with this client.
// Where the answer has no ID token, nothing is stored.
func (c *Confidential) CompleteAuthCodeVerified(ctx context.Context, f AuthCodeFlow, v IDTokenVerifier, answer url.Values, scopes []string) (Result, error) {
	return c.call(ctx, &exchange{signIn: true}, func(ctx context.Context) (public.AuthResult, error) {
		return f.CompleteVerified(ctx, ConfidentialCode(c.people.msal), v, answer, scopes)
	})
}

// BeginDevice is the function [BeginDevice] with this client.
func (p *Public) BeginDevice(ctx context.Context, scopes []string, claims string) (DeviceFlow, error) {
	return BeginDevice(ctx, p.msal, scopes, claims)
}

// CompleteDevice is [DeviceFlow.Complete] with this client.
func (p *Public) CompleteDevice(ctx context.Context, f DeviceFlow, waiting func(DeviceFlow) error) (Result, error) {
	return p.call(ctx, &exchange{}, func(ctx context.Context) (public.AuthResult, error) {
		return f.Complete(ctx, p.msal, waiting)
	})
}
