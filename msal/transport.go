package msal

import (
	"context"
	"net/http"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// SilentTokens makes a [TokenFunc] for [Authorize] of a client: what an API
// wants the token to say goes into the options' Claims. Nil options are as for
// Silent; a Scheme isn't looked at, since Authorize sends bearer tokens. Its
// errors are the client's.
func SilentTokens(client SilentClient, scopes []string, o *SilentOptions) TokenFunc {
	var plain SilentOptions
	if o != nil {
		plain = *o
		plain.Scheme = nil
	}
	return func(ctx context.Context, claims string) (string, error) {
		asked := plain
		if claims != "" {
			asked.Claims = claims
		}
		r, err := client.Silent(ctx, scopes, &asked)
		return r.AccessToken, err
	}
}

// APIClient returns an HTTP client for APIs at these origins that sends an
// account's tokens ([Authorize]) and asks busy servers again ([Retry]):
//
//	graph, err := msal.APIClient(client, &account, scopes, "https://graph.microsoft.com")
//	resp, err := graph.Get("https://graph.microsoft.com/v1.0/me")
//
// A nil account is the client's own, for [OwnTokens]. Where a person has to sign
// in, a request's error has [ErrNoToken] or [ErrInteractionRequired] in it; the
// latter's Claims, found by errors.As, belong into the sign-in. The error is
// [ErrOrigin].
func APIClient(client SilentClient, account *public.Account, scopes []string, origins ...string) (*http.Client, error) {
	rt, err := Authorize(Retry(nil, nil), SilentTokens(client, scopes, &SilentOptions{Account: account}), origins...)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: rt}, nil
}
