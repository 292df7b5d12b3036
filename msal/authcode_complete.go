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
// removed from the client's cache again. Where there is no ID token at all, no
// account can be named: with [PublicCode] and [ConfidentialCode] those tokens
// stay in the cache, and [Public.CompleteAuthCode] and
// [Confidential.CompleteAuthCode] store none.
//
// A code can be redeemed once: forget the flow before calling Complete. A flow
// with an ID token in its response type is completed by
// [AuthCodeFlow.CompleteVerified] or [AuthCodeFlow.CompleteIDToken] alone, and
// is [ErrFlow] here.
func (f AuthCodeFlow) Complete(ctx context.Context, client CodeClient, answer url.Values, scopes []string) (public.AuthResult, error) {
	if f.ResponseType != "" {
		return public.AuthResult{}, fmt.Errorf(completing, fmt.Errorf("%w: the browser brings an ID token, which needs a verifier; use CompleteVerified or CompleteIDToken", ErrFlow))
	}
	return f.complete(ctx, client, nil, answer, scopes)
}

const completing = "msalext: completing an authorization code flow: %w"

func (f *AuthCodeFlow) complete(ctx context.Context, client CodeClient, verifier IDTokenVerifier, answer url.Values, scopes []string) (public.AuthResult, error) {
	code, err := f.read(answer, scopes)
	if err != nil {
		return public.AuthResult{}, err
	}
	front, err := f.front(ctx, verifier, answer, code)
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
	back, err := f.compare(ctx, verifier, result.IDToken.RawToken)
	if err == nil {
		err = samePerson(front, back)
	}
	if err != nil {
		return public.AuthResult{}, signOutAgain(ctx, client, result, err)
	}
	return result, nil
}

// signOutAgain removes what MSAL has stored and nobody may use. The caller's
// ctx may have ended; it must go all the same.
func signOutAgain(ctx context.Context, client CodeClient, result public.AuthResult, reason error) error {
	return errors.Join(reason, client.RemoveAccount(context.WithoutCancel(ctx), result.Account))
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
	if f.CodeVerifier == "" {
		return "", fmt.Errorf(completing, fmt.Errorf("%w: it has no verifier; begin a new one", ErrFlow))
	}
	if err := f.belongs(answer); err != nil {
		return "", err
	}
	for _, scope := range scopes {
		if !slices.Contains(f.Scopes, scope) {
			return "", fmt.Errorf(completing, fmt.Errorf("%w: the scope %.100q wasn't asked for", ErrFlow, scope))
		}
	}
	if answer.Get("error") != "" {
		return "", refusedByBrowser(answer)
	}
	if answer.Get("code") == "" {
		return "", fmt.Errorf(completing, fmt.Errorf("%w: neither a code nor an error", ErrAnswer))
	}
	return answer.Get("code"), nil
}

// belongs compares state and form of an answer.
func (f *AuthCodeFlow) belongs(answer url.Values) error {
	if f.State == "" || f.Nonce == "" {
		return fmt.Errorf(completing, fmt.Errorf("%w: it has no state or nonce; begin a new one", ErrFlow))
	}
	for _, name := range []string{"state", "code", "id_token", "error"} {
		if len(answer[name]) > 1 { // RFC 6749 §3.1
			return fmt.Errorf(completing, fmt.Errorf("%w: several %s", ErrAnswer, name))
		}
	}
	if subtle.ConstantTimeCompare([]byte(f.State), []byte(answer.Get("state"))) != 1 {
		return fmt.Errorf(completing, ErrState)
	}
	return nil
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

// compare tells whether the token endpoint's ID token answers the flow. A
// provider that was asked for openid has to send one. Without a verifier the
// time doesn't count, as in MSAL Python: the token is new, since a code was
// just redeemed for it, and clocks are wrong.
func (f *AuthCodeFlow) compare(ctx context.Context, verifier IDTokenVerifier, raw string) (*IDToken, error) {
	checks := &IDTokenChecks{Nonce: f.sentNonce()}
	if verifier != nil {
		t, err := verifier.VerifyIDToken(ctx, raw, checks)
		if err != nil {
			return nil, err
		}
		return t, f.recent(t)
	}
	t, err := DecodeIDToken(raw, checks)
	if err != nil && !errors.Is(err, ErrIDTokenTime) {
		return nil, err
	}
	return t, f.recent(t)
}

// recent compares when the person signed in with the flow's MaxAge.
func (f *AuthCodeFlow) recent(t *IDToken) error {
	if f.MaxAge == nil {
		return nil
	}
	age := time.Duration(*f.MaxAge) * time.Second
	if t.AuthTime.IsZero() || time.Now().Add(-Skew).After(t.AuthTime.Add(age)) {
		return &IDTokenError{Kind: ErrIDTokenAge, Err: fmt.Errorf("at most %s was asked for", age)}
	}
	return nil
}
