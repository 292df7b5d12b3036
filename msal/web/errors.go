package web

import (
	"errors"
	"fmt"
)

var (
	// ErrConfig: a [Config] can't be used.
	ErrConfig = errors.New("the configuration isn't usable")
	// ErrSignIn: somebody has to sign in first, or again.
	ErrSignIn = errors.New("somebody has to sign in")
	// ErrForbidden: who is signed in may not do this.
	ErrForbidden = errors.New("not allowed for who is signed in")
	// ErrNoSuch: Microsoft Graph has no such thing, for example no photo.
	ErrNoSuch = errors.New("there is none")
)

// ClaimsError: a token is needed that says more than those at hand, such as that
// the person proved themselves a second time. It is [ErrSignIn] as well.
type ClaimsError struct {
	Claims string // JSON, as in the claims parameter of OpenID Connect
	Err    error  // why a refresh wasn't enough; may be nil
}

// Error is one line.
func (e *ClaimsError) Error() string {
	if e.Err == nil {
		return "msalext: further claims are asked for"
	}
	return "msalext: further claims are asked for: " + e.Err.Error()
}

// Unwrap returns [ErrSignIn] and the cause.
func (e *ClaimsError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrSignIn}
	}
	return []error{ErrSignIn, e.Err}
}

func unusable(field, reason string) error {
	return fmt.Errorf("msalext: set up the sign-in of a web app: %w: %s: %s", ErrConfig, field, reason)
}
