package msal

import "errors"

// What [DecodeIDToken], an [IDTokenVerifier] or the end of an [AuthCodeFlow]
// finds wrong. Test for it with errors.Is; each is an [*IDTokenError].
var (
	// ErrIDTokenMalformed: it isn't a JWT with the claims that every ID token
	// has.
	ErrIDTokenMalformed = errors.New("the ID token is malformed")
	// ErrIDTokenIssuer: another provider or tenant issued it.
	ErrIDTokenIssuer = errors.New("the ID token is from another issuer")
	// ErrIDTokenAudience: it was issued to another application.
	ErrIDTokenAudience = errors.New("the ID token is for another application")
	// ErrIDTokenNonce: it answers another request for a sign-in.
	ErrIDTokenNonce = errors.New("the ID token answers another request")
	// ErrIDTokenTime: it isn't valid yet, or not any more. Mostly a clock is
	// wrong.
	ErrIDTokenTime = errors.New("the ID token isn't valid at this time")
	// ErrIDTokenAge: the person signed in longer ago than the request allowed
	// (max_age), or the token doesn't say when.
	ErrIDTokenAge = errors.New("the sign-in is older than was asked for")
	// ErrIDTokenSignature: no key of the issuer's signed it, or by no algorithm
	// that proves anything. Only a verifier finds that.
	ErrIDTokenSignature = errors.New("the ID token isn't signed by its issuer")
	// ErrIDTokenCode: the browser brought it with a code that it doesn't belong
	// to (c_hash, OpenID Connect Core §3.3.2.11).
	ErrIDTokenCode = errors.New("the ID token belongs to another code")
	// ErrIDTokenSubject: what the browser brought is about somebody else than
	// what the token endpoint answered (OpenID Connect Core §3.3.3.6).
	ErrIDTokenSubject = errors.New("the two ID tokens of the sign-in are about different people")
)

// IDTokenError says what is wrong with an ID token. It holds none of it, but
// what its message shows. It stands for MSAL Python's IdTokenError and the
// classes derived from it.
type IDTokenError struct {
	Kind error // one of the sentinels, such as ErrIDTokenNonce
	Err  error // what was found; may be nil
}

// Error is one line.
func (e *IDTokenError) Error() string {
	if e.Err == nil {
		return "msalext: " + e.Kind.Error()
	}
	return "msalext: " + e.Kind.Error() + ": " + e.Err.Error()
}

// Unwrap returns the kind and the cause.
func (e *IDTokenError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}
