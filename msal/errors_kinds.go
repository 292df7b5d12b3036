package msal

import (
	"errors"
	"net/http"
	"slices"
)

// What an [Error] can mean. Test for it with errors.Is; one error can mean
// several.
var (
	// ErrInteractionRequired: a person has to sign in, consent or do something
	// else; begin an interactive flow, with the error's Claims where it has
	// some. A refresh token that is refused means the same, except when it
	// belongs to another client or a policy for the device isn't met.
	ErrInteractionRequired = errors.New("a person has to sign in")
	// ErrInvalidGrant: the password, code, assertion or refresh token isn't
	// valid, or not any more.
	ErrInvalidGrant = errors.New("the grant isn't valid")
	// ErrInvalidClient: the application's own secret, certificate or assertion
	// was refused. Nothing that a person does helps.
	ErrInvalidClient = errors.New("the client's credential was refused")
	// ErrInvalidScope: a scope is unknown, malformed or was declined.
	ErrInvalidScope = errors.New("a scope isn't valid")
	// ErrAccessDenied: the person, or a policy, said no.
	ErrAccessDenied = errors.New("access was denied")
	// ErrExpired: the device code, authorization code or refresh token is too
	// old.
	ErrExpired = errors.New("what was to be redeemed has expired")
	// ErrServerBusy: the server can't answer now; the same request may succeed
	// later, after the error's RetryAfter.
	ErrServerBusy = errors.New("the server is busy")
)

// Is tells whether the error means target.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrInteractionRequired:
		return e.needsPerson()
	case ErrInvalidGrant:
		return e.Code == "invalid_grant"
	case ErrInvalidClient:
		return e.Code == "invalid_client"
	case ErrInvalidScope:
		return e.Code == "invalid_scope"
	case ErrAccessDenied:
		return e.Code == "access_denied" || e.Code == "authorization_declined" // the device flow's word at Entra ID
	case ErrExpired:
		return e.expired()
	case ErrServerBusy:
		return e.busy()
	}
	return false
}

func (e *Error) needsPerson() bool {
	switch e.Code {
	case "interaction_required", "login_required", "consent_required", "account_selection_required":
		return true
	case "invalid_grant":
	default:
		return false
	}
	switch e.SubError {
	case "client_mismatch", "protection_policy_required":
		return false
	case "basic_action", "additional_action", "message_only", "consent_required", "user_password_expired", "bad_token", "token_expired":
		return true
	}
	return e.Grant == "refresh_token"
}

// expiries are the AADSTS numbers of codes and refresh tokens that are too old.
var expiries = []int{70008, 70019, 70043, 700082, 700084}

func (e *Error) expired() bool {
	return e.Code == "expired_token" || e.Code == "code_expired" || e.SubError == "token_expired" ||
		slices.ContainsFunc(e.Codes, func(n int) bool { return slices.Contains(expiries, n) })
}

func (e *Error) busy() bool {
	return e.Code == "temporarily_unavailable" || e.Code == "server_error" ||
		e.Status == http.StatusTooManyRequests || e.Status >= 500
}
