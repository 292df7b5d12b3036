package oidc

import (
	"context"
	"errors"
	"fmt"

	goidc "github.com/coreos/go-oidc/v3/oidc"
)

// verify tells whether a key of the source signed the token. go-oidc looks for
// the key, asks for keys anew where it has none, and checks the algorithm.
func verify(ctx context.Context, from source, raw string) error {
	attempt := &attempt{set: from.keys}
	config := &goidc.Config{SupportedSigningAlgs: from.algorithms, SkipClientIDCheck: true, SkipIssuerCheck: true, SkipExpiryCheck: true}
	_, err := goidc.NewVerifier(from.issuer, attempt, config).Verify(ctx, raw)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case attempt.unreachable():
		return fmt.Errorf("msalext: verifying an ID token: %w: %w", ErrKeys, plain(attempt.err))
	}
	return unsigned("none of the issuer's keys fits")
}

// attempt keeps why a signature couldn't be verified, which go-oidc turns into
// text.
type attempt struct {
	set *goidc.RemoteKeySet
	err error
}

// VerifySignature is called by go-oidc.
func (a *attempt) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	payload, err := a.set.VerifySignature(ctx, raw)
	a.err = err
	return payload, err
}

// unreachable tells whether the keys, and not the signature, are what failed:
// go-oidc wraps only the error of asking for them.
func (a *attempt) unreachable() bool { return errors.Unwrap(a.err) != nil }
