package msal

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// What is wrong with an answer that a browser brought. Whoever can make a
// person follow a link can send such an answer, so treat it as noise: show the
// person where to sign in, and log nothing but that.
var (
	// ErrState: it answers another flow, or none. A link from a stranger, a
	// second window, or a session that has ended.
	ErrState = errors.New("the answer belongs to another sign-in")
	// ErrAnswer: it has neither a code nor an error, or one of its parameters
	// twice.
	ErrAnswer = errors.New("the answer isn't one of an authorization endpoint")
)

// Complete ends the flow with the answer that the browser brought to the
// redirect URI: r.Form of a request, whether as a query or as a form. Nil
// scopes mean those of the flow; after a consent to several APIs, name those of
// one of them, as each access token is for one. It stands for MSAL Python's
// acquire_token_by_auth_code_flow.
//
// First the flow, the state and the scopes are compared ([ErrFlow],
// [ErrState]), then the answer is read ([ErrAnswer], or an [*Error] with the
// server's refusal). Only then is the code sent to the server, with the PKCE
// verifier and the flow's claims; a refusal is an [*Error], and everything else
// that fails an error of MSAL's. At last the ID token is compared: the nonce
// has to be the flow's, and with MaxAge the sign-in new enough
// ([*IDTokenError]). MSAL has stored the tokens by then, so the account is
// removed from the client's cache again.
//
// A code can be redeemed once: forget the flow before calling Complete.
func (f AuthCodeFlow) Complete(ctx context.Context, client CodeClient, answer url.Values, scopes []string) (public.AuthResult, error) {
	code, err := f.read(answer, scopes)
	if err != nil {
		return public.AuthResult{}, err
	}
	if len(scopes) == 0 {
		scopes = f.Scopes
	}
	result, err := client.RedeemCode(ctx, CodeRequest{
		Code: code, RedirectURI: f.RedirectURI, Verifier: f.CodeVerifier, Claims: f.Claims, Scopes: withoutOpenID(scopes),
	})
	if err != nil {
		return public.AuthResult{}, FromMSAL(err)
	}
	if err := f.compare(result.IDToken.RawToken, time.Now()); err != nil {
		// The caller's ctx may have ended; what must not be used must go all the same.
		return public.AuthResult{}, errors.Join(err, client.RemoveAccount(context.WithoutCancel(ctx), result.Account))
	}
	return result, nil
}

// withoutOpenID leaves out what MSAL adds itself: it takes a scope that was
// asked for and isn't in the answer for declined, and Entra ID's answer hasn't
// offline_access. But MSAL wants one scope.
func withoutOpenID(scopes []string) []string {
	own := slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return slices.Contains(openIDScopes, s) })
	if len(own) == 0 {
		return []string{"openid"}
	}
	return own
}

// read compares the answer with the flow, and returns the code.
func (f *AuthCodeFlow) read(answer url.Values, scopes []string) (string, error) {
	const doing = "msalext: completing an authorization code flow: %w"
	if f.State == "" || f.CodeVerifier == "" || f.Nonce == "" {
		return "", fmt.Errorf(doing, fmt.Errorf("%w: it has no state, verifier or nonce; begin a new one", ErrFlow))
	}
	for _, name := range []string{"state", "code", "error"} {
		if len(answer[name]) > 1 { // RFC 6749 §3.1
			return "", fmt.Errorf(doing, fmt.Errorf("%w: several %s", ErrAnswer, name))
		}
	}
	if subtle.ConstantTimeCompare([]byte(f.State), []byte(answer.Get("state"))) != 1 {
		return "", fmt.Errorf(doing, ErrState)
	}
	for _, scope := range scopes {
		if !slices.Contains(f.Scopes, scope) {
			return "", fmt.Errorf(doing, fmt.Errorf("%w: the scope %.100q wasn't asked for", ErrFlow, scope))
		}
	}
	if answer.Get("error") != "" {
		return "", refusedByBrowser(answer)
	}
	if answer.Get("code") == "" {
		return "", fmt.Errorf(doing, fmt.Errorf("%w: neither a code nor an error", ErrAnswer))
	}
	return answer.Get("code"), nil
}

// refusedByBrowser takes the error's own parameters and nothing else: a browser
// can bring anything.
func refusedByBrowser(answer url.Values) *Error {
	return answerJSON{
		Code:        answer.Get("error"),
		SubError:    answer.Get("error_subcode"),
		Description: answer.Get("error_description"),
		URI:         answer.Get("error_uri"),
	}.toError(nil)
}

// compare tells whether the ID token answers the flow. A provider that was
// asked for openid has to send one.
func (f *AuthCodeFlow) compare(raw string, now time.Time) error {
	t, err := DecodeIDToken(raw, &IDTokenChecks{Nonce: f.sentNonce(), Now: now})
	if err != nil && !errors.Is(err, ErrIDTokenTime) {
		return err
	}
	if f.MaxAge == nil {
		return nil
	}
	age := time.Duration(*f.MaxAge) * time.Second
	if t.AuthTime.IsZero() || now.Add(-Skew).After(t.AuthTime.Add(age)) {
		return &IDTokenError{Kind: ErrIDTokenAge, Err: fmt.Errorf("at most %s was asked for", age)}
	}
	return nil
}
