package msal

import (
	"context"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// CodeClient is what an [AuthCodeFlow] needs of an MSAL client. [PublicCode]
// and [ConfidentialCode] make one of MSAL's own.
type CodeClient interface {
	// CodeURL returns the authorization URL with what the request has.
	CodeURL(context.Context, CodeURLRequest) (string, error)
	// RedeemCode gets the tokens of a code, and stores them in the cache.
	RedeemCode(context.Context, CodeRequest) (public.AuthResult, error)
	// RemoveAccount signs an account out of the cache.
	RemoveAccount(context.Context, public.Account) error
}

// CodeURLRequest is what [CodeClient] puts into a URL.
type CodeURLRequest struct {
	ClientID, RedirectURI string
	Scopes                []string
	Claims                string // JSON; may be empty
}

// CodeRequest is a code, and what proves that it was asked for here.
type CodeRequest struct {
	Code, RedirectURI string
	Verifier          string // of PKCE (RFC 7636)
	Scopes            []string
	Claims            string // JSON; may be empty
}

// PublicCode makes a CodeClient of an MSAL client. It is safe for concurrent
// use.
func PublicCode(client public.Client) CodeClient { return publicCode{client} }

type publicCode struct{ public.Client }

func (c publicCode) CodeURL(ctx context.Context, r CodeURLRequest) (string, error) {
	var opts []public.AuthCodeURLOption
	if r.Claims != "" {
		opts = append(opts, public.WithClaims(r.Claims))
	}
	return c.AuthCodeURL(ctx, r.ClientID, r.RedirectURI, r.Scopes, opts...)
}

func (c publicCode) RedeemCode(ctx context.Context, r CodeRequest) (public.AuthResult, error) {
	opts := []public.AcquireByAuthCodeOption{public.WithChallenge(r.Verifier)}
	if r.Claims != "" {
		opts = append(opts, public.WithClaims(r.Claims))
	}
	return c.AcquireTokenByAuthCode(ctx, r.Code, r.RedirectURI, r.Scopes, opts...)
}

// ConfidentialCode makes a CodeClient of an MSAL client. It is safe for
// concurrent use.
func ConfidentialCode(client confidential.Client) CodeClient { return confidentialCode{client} }

type confidentialCode struct{ confidential.Client }

func (c confidentialCode) CodeURL(ctx context.Context, r CodeURLRequest) (string, error) {
	var opts []confidential.AuthCodeURLOption
	if r.Claims != "" {
		opts = append(opts, confidential.WithClaims(r.Claims))
	}
	return c.AuthCodeURL(ctx, r.ClientID, r.RedirectURI, r.Scopes, opts...)
}

func (c confidentialCode) RedeemCode(ctx context.Context, r CodeRequest) (public.AuthResult, error) {
	opts := []confidential.AcquireByAuthCodeOption{confidential.WithChallenge(r.Verifier)}
	if r.Claims != "" {
		opts = append(opts, confidential.WithClaims(r.Claims))
	}
	return c.AcquireTokenByAuthCode(ctx, r.Code, r.RedirectURI, r.Scopes, opts...)
}
