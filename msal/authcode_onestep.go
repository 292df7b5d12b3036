package msal

import (
	"context"
	"errors"
	"fmt"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// AuthCodeURL returns a URL to sign in at, without a flow: what of state and
// nonce is given is sent as it is, and there is no PKCE. It stands for MSAL
// Python's get_authorization_request_url, which Python deprecates; prefer
// [BeginAuthCode], which makes all three and compares them in the end.
//
// What can't be asked for is [ErrFlow], an ID token from the browser among it.
func AuthCodeURL(ctx context.Context, client CodeClient, o AuthCodeOptions, nonce string) (string, error) {
	if err := o.check(); err != nil {
		return "", fmt.Errorf(beginning, err)
	}
	if o.responseType() != "code" {
		return "", fmt.Errorf(beginning, fmt.Errorf("%w: the response type %q needs a flow; use BeginAuthCode", ErrFlow, o.ResponseType))
	}
	return o.url(ctx, client, withOpenID(o.Scopes), map[string]string{"state": o.State, "nonce": nonce})
}

// RedeemCode gets the tokens of a code that no [AuthCodeFlow] asked for: one for
// a URL of [AuthCodeURL], or that the application's own script or another
// program hands over. Comparing the state is the caller's. Where a nonce is
// given the ID token must have it, letter by letter ([ErrIDTokenNonce]);
// otherwise the account is removed from the client's cache again. It stands for
// MSAL Python's acquire_token_by_authorization_code, which Python deprecates.
//
// A refusal is an [*Error]; a request without a code or redirect URI is
// [ErrFlow].
func RedeemCode(ctx context.Context, client CodeClient, r CodeRequest, nonce string) (public.AuthResult, error) {
	if r.Code == "" || r.RedirectURI == "" {
		return public.AuthResult{}, fmt.Errorf("msalext: redeeming a code: %w: no Code or no RedirectURI", ErrFlow)
	}
	r.Scopes = withoutOpenID(r.Scopes)
	result, err := client.RedeemCode(ctx, r)
	if err != nil {
		return public.AuthResult{}, FromMSAL(err)
	}
	if nonce == "" {
		return result, nil
	}
	if _, err := DecodeIDToken(result.IDToken.RawToken, &IDTokenChecks{Nonce: nonce}); err != nil && !errors.Is(err, ErrIDTokenTime) {
		return public.AuthResult{}, signOutAgain(ctx, client, result, err)
	}
	return result, nil
}
