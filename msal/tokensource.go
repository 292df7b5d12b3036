package msal

import (
	"context"
	"fmt"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// A SilentClient gets tokens without asking a person. [*Public] and
// [*Confidential] are ones, for the tokens of an account; [OwnTokens] makes one
// for the tokens of an application itself, and [SilentFunc] one of anything.
type SilentClient interface {
	Silent(ctx context.Context, scopes []string, o *SilentOptions) (Result, error)
}

// SilentFunc makes a [SilentClient] of a function. It is called by as many
// goroutines at once as call the client.
type SilentFunc func(ctx context.Context, scopes []string, o *SilentOptions) (Result, error)

// Silent calls f.
func (f SilentFunc) Silent(ctx context.Context, scopes []string, o *SilentOptions) (Result, error) {
	return f(ctx, scopes, o)
}

// OwnTokens gets the tokens of the application itself: from the cache, or with
// its credential, so never [ErrNoToken]. It ignores SilentOptions.Account.
func OwnTokens(c *Confidential) SilentClient {
	return SilentFunc(func(ctx context.Context, scopes []string, o *SilentOptions) (Result, error) {
		if o == nil {
			o = &SilentOptions{}
		}
		return c.ForClient(ctx, scopes, &ForClientOptions{ForceRefresh: o.ForceRefresh, Claims: o.Claims, TenantID: o.TenantID, Scheme: o.Scheme})
	})
}

// TokenSource gives a client's tokens to what takes them from
// golang.org/x/oauth2, such as oauth2.NewClient(ctx, source). Nil options are as
// for Silent.
//
// Each Token has the access token, its expiry, and the ID token as
// Extra("id_token"); never a refresh token, which stays in the cache. It keeps
// none itself, so that a sign-out counts at once; oauth2.NewClient keeps one
// until it expires. Errors are those of the client, such as [ErrNoToken]. A
// Scheme in the options is [ErrPop], since a proof is good for one request only.
//
// It uses ctx for all calls, as sources of oauth2 have none of their own. It is
// safe for concurrent use; goroutines that come at once share one call.
func TokenSource(ctx context.Context, client SilentClient, scopes []string, o *SilentOptions) oauth2.TokenSource {
	s := &tokenSource{ctx: ctx, client: client, scopes: scopes}
	if o != nil {
		s.options = *o
	}
	return s
}

type tokenSource struct {
	ctx     context.Context
	client  SilentClient
	scopes  []string
	options SilentOptions
	flight  singleflight.Group
}

// Token gets a token.
func (s *tokenSource) Token() (*oauth2.Token, error) {
	if s.options.Scheme != nil {
		return nil, fmt.Errorf("msalext: getting a token for oauth2: %w that outlives a request; leave out the Scheme", ErrPop)
	}
	token, err, _ := s.flight.Do("", func() (any, error) {
		o := s.options
		return s.client.Silent(s.ctx, s.scopes, &o)
	})
	if err != nil {
		return nil, err
	}
	return oauthToken(token.(Result)), nil
}

// oauthToken is one for each caller, since oauth2's callers may change it.
func oauthToken(r Result) *oauth2.Token {
	t := &oauth2.Token{AccessToken: r.AccessToken, TokenType: r.TokenType, Expiry: r.ExpiresOn}
	if r.IDToken.RawToken == "" {
		return t
	}
	return t.WithExtra(map[string]any{"id_token": r.IDToken.RawToken})
}
