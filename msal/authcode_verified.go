package msal

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// CompleteVerified is [AuthCodeFlow.Complete] with a verifier: each ID token has
// to be signed by its issuer, and valid now. It is the only way to complete a
// flow with the response type "code id_token" (OpenID Connect Core §3.3), whose
// first ID token the browser brings; that one is verified before the code is
// redeemed, and has to belong to the code ([ErrIDTokenCode]) and to the same
// person as the second ([ErrIDTokenSubject]).
//
// Errors of the verifier are returned as they are. A flow with the response type
// id_token is [ErrFlow].
func (f AuthCodeFlow) CompleteVerified(ctx context.Context, client CodeClient, verifier IDTokenVerifier, answer url.Values, scopes []string) (public.AuthResult, error) {
	if verifier == nil || f.ResponseType != "" && f.ResponseType != hybridType {
		return public.AuthResult{}, fmt.Errorf(completing, fmt.Errorf("%w: no verifier, or the response type isn't one with a code", ErrFlow))
	}
	return f.complete(ctx, client, verifier, answer, scopes)
}

// CompleteIDToken ends a flow with the response type id_token (OpenID Connect
// Core §3.2): it brings who signed in, and no access token. The answer is
// compared as [AuthCodeFlow.Complete] does it, and the ID token as the verifier
// does it, with the flow's nonce and MaxAge. Nothing is sent to the token
// endpoint, nor stored.
//
// Forget the flow before: an answer counts once.
func (f AuthCodeFlow) CompleteIDToken(ctx context.Context, verifier IDTokenVerifier, answer url.Values) (*IDToken, error) {
	if verifier == nil || f.ResponseType != idTokenType {
		return nil, fmt.Errorf(completing, fmt.Errorf("%w: no verifier, or the response type isn't id_token", ErrFlow))
	}
	if err := f.belongs(answer); err != nil {
		return nil, err
	}
	if answer.Get("error") != "" {
		return nil, refusedByBrowser(answer)
	}
	t, err := f.brought(ctx, verifier, answer)
	if err != nil {
		return nil, err
	}
	if err := f.recent(t); err != nil {
		return nil, err
	}
	return t, nil
}

// front verifies the ID token that came with a code, where one had to.
func (f *AuthCodeFlow) front(ctx context.Context, verifier IDTokenVerifier, answer url.Values, code string) (*IDToken, error) {
	if f.ResponseType != hybridType {
		return nil, nil
	}
	t, err := f.brought(ctx, verifier, answer)
	if err != nil {
		return nil, err
	}
	want, err := codeHash(answer.Get("id_token"), code)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(t.Text("c_hash"))) != 1 {
		return nil, &IDTokenError{Kind: ErrIDTokenCode}
	}
	return t, nil
}

// brought verifies the ID token that a browser brought.
func (f *AuthCodeFlow) brought(ctx context.Context, verifier IDTokenVerifier, answer url.Values) (*IDToken, error) {
	raw := answer.Get("id_token")
	if raw == "" {
		return nil, fmt.Errorf(completing, fmt.Errorf("%w: no ID token", ErrAnswer))
	}
	return verifier.VerifyIDToken(ctx, raw, &IDTokenChecks{Nonce: f.sentNonce()})
}

// codeHash is what c_hash has to be: half of the code's hash, by the algorithm
// that the token is signed with.
func codeHash(raw, code string) (string, error) {
	first, _, _ := strings.Cut(raw, ".")
	data, err := DecodePart(first)
	if err != nil {
		return "", err
	}
	var header map[string]any // the fields of a struct would match other letter case as well
	if err := json.Unmarshal(data, &header); err != nil {
		return "", malformed("the header isn't a JSON object")
	}
	algorithm, _ := header["alg"].(string)
	sum := hashOf(algorithm, []byte(code))
	if sum == nil {
		return "", &IDTokenError{Kind: ErrIDTokenSignature, Err: fmt.Errorf("the algorithm %.20q", algorithm)}
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]), nil
}

// hashOf is the hash of a signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1), or
// nil.
func hashOf(algorithm string, data []byte) []byte {
	switch algorithm {
	case "RS256", "PS256", "ES256":
		sum := sha256.Sum256(data)
		return sum[:]
	case "RS384", "PS384", "ES384":
		sum := sha512.Sum384(data)
		return sum[:]
	case "RS512", "PS512", "ES512", "EdDSA":
		sum := sha512.Sum512(data)
		return sum[:]
	}
	return nil
}

// samePerson compares the two ID tokens of a hybrid flow.
func samePerson(front, back *IDToken) error {
	if front == nil || front.Issuer == back.Issuer && front.Subject == back.Subject {
		return nil
	}
	return &IDTokenError{Kind: ErrIDTokenSubject}
}
