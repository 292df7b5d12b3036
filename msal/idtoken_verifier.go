package msal

import "context"

// IDTokenVerifier finds out whether an ID token is the issuer's. Package
// [github.com/msalext/msalext/msal/oidc] has one, which asks the issuer for its
// keys; it is a package of its own, so that programs that need none don't carry
// it.
type IDTokenVerifier interface {
	// VerifyIDToken returns the token where an accepted issuer signed it, it is
	// for this application, and all else is as [DecodeIDToken] compares it; nil
	// checks mean the zero value. Otherwise the error is an [*IDTokenError]
	// without a token, or says why that couldn't be found out. It is called by
	// several goroutines at once.
	VerifyIDToken(ctx context.Context, raw string, checks *IDTokenChecks) (*IDToken, error)
}
