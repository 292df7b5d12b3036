package msal

import (
	"context"
	"errors"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// AssertionOptions tell what a client assertion is asked for. They are MSAL's:
// the client id, the token endpoint (the assertion's audience), and the path of
// a federated managed identity, if one was asked for.
type AssertionOptions = confidential.AssertionRequestOptions

// Assertion is the credential of an application that has a client assertion
// (RFC 7523 §2.2) made elsewhere: a JWT, sent as it is until it expires and the
// identity provider refuses it. [AssertionFunc] can bring a new one. An empty
// one is an error, which is [ErrCredential].
func Assertion(jwt string) (Credential, error) {
	if jwt == "" {
		return Credential{}, noAssertion()
	}
	return AssertionFunc(func(context.Context, AssertionOptions) (string, error) { return jwt, nil })
}

// AssertionFunc is the credential of an application whose client assertions a
// function brings: from a key vault or a hardware module that signs, from the
// file of a Kubernetes workload identity, or from a managed identity (see the
// example). It is called for each request to the token endpoint, and so not
// for tokens that are cached, perhaps by several goroutines at once, with the
// context of the caller. Its error is what the caller gets; an empty assertion
// is [ErrCredential], and so is a nil function at once.
func AssertionFunc(fn func(context.Context, AssertionOptions) (string, error)) (Credential, error) {
	if fn == nil {
		return Credential{}, noAssertion()
	}
	callback := func(ctx context.Context, o AssertionOptions) (string, error) {
		jwt, err := fn(ctx, o)
		if err == nil && jwt == "" {
			return "", noAssertion()
		}
		return jwt, err
	}
	return assertedCredential("client assertion", callback), nil
}

func noAssertion() error {
	return &CredentialError{Kind: ErrCredential, Err: errors.New("there is no client assertion")}
}
