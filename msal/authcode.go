package msal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
)

// Prompt is what the sign-in page asks a person (OpenID Connect Core §3.1.2.1).
// The constants stand for MSAL Python's class Prompt.
type Prompt string

// The prompts that Entra ID knows.
const (
	PromptNone          Prompt = "none" // fail where anything would have to be asked
	PromptLogin         Prompt = "login"
	PromptConsent       Prompt = "consent"
	PromptSelectAccount Prompt = "select_account"
	PromptCreate        Prompt = "create" // make a new account
)

// AuthCodeOptions is what [BeginAuthCode] asks for. ClientID and RedirectURI are
// required; the zero value of any other field asks for nothing.
type AuthCodeOptions struct {
	ClientID    string   // the application's
	RedirectURI string   // where the answer goes, as registered
	Scopes      []string // also of several APIs; openid, profile and offline_access are added

	State        string // empty: a random one, which is better
	Prompt       Prompt
	LoginHint    string // the user name to begin with
	DomainHint   string // the organization to sign in with
	ResponseMode string // query, fragment or form_post; empty: the server's choice, query
	ResponseType string // code, or empty for the same
	// Claims are those of a claims challenge, as JSON.
	Claims string
	// MaxAge is how many seconds ago the person may have signed in; nil is any
	// time, and 0 is just now.
	MaxAge *int
	// Query is added to the URL. It can't replace what the flow itself sends.
	Query url.Values
}

// AuthCodeFlow is a sign-in that waits for a browser: [BeginAuthCode] made it,
// and Complete ends it, perhaps in another process. Keep it where only this
// person's browser session leads, as JSON or as it is. The JSON is the flow of
// MSAL Python's initiate_auth_code_flow, member by member, so that either can
// complete what the other began.
//
// It holds secrets (state, nonce, verifier), which String and LogValue don't
// show.
type AuthCodeFlow struct {
	AuthURI      string   `json:"auth_uri"` // where the browser has to go
	State        string   `json:"state"`
	RedirectURI  string   `json:"redirect_uri"`
	Scopes       []string `json:"scope"`
	CodeVerifier string   `json:"code_verifier"`
	Nonce        string   `json:"nonce"` // its SHA-256 in hex is what was sent
	MaxAge       *int     `json:"max_age,omitempty"`
	Claims       string   `json:"claims_challenge,omitempty"`
}

// String names the redirect URI alone.
func (f AuthCodeFlow) String() string {
	return "authorization code flow to " + strconv.Quote(f.RedirectURI)
}

// GoString is String, for %#v.
func (f AuthCodeFlow) GoString() string { return f.String() }

// LogValue shows what isn't a secret.
func (f AuthCodeFlow) LogValue() slog.Value {
	return slog.GroupValue(slog.String("redirect_uri", f.RedirectURI), slog.Any("scope", f.Scopes))
}

// ErrFlow: what the application asked of a flow is wrong, or the flow isn't one
// that was begun.
var ErrFlow = errors.New("the flow isn't usable")

// reserved are the parameters that the flow itself sends.
var reserved = []string{
	"client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
	"prompt", "login_hint", "domain_hint", "max_age", "response_mode", "claims", "request", "request_uri",
}

// BeginAuthCode begins the authorization code flow (RFC 6749 §4.1, OpenID
// Connect Core §3.1) with a state, a nonce, and PKCE by S256 (RFC 7636), and
// sends nothing but a request for the authorization endpoint's address, which
// MSAL remembers. It stands for MSAL Python's initiate_auth_code_flow, and for
// get_authorization_request_url.
//
// What can't be asked for is [ErrFlow]; response types other than code among
// it, since a token in a URL's fragment never reaches a server, and an ID token
// from a browser would need its signature checked.
func BeginAuthCode(ctx context.Context, client CodeClient, o AuthCodeOptions) (AuthCodeFlow, error) {
	if err := o.check(); err != nil {
		return AuthCodeFlow{}, fmt.Errorf("msalext: beginning an authorization code flow: %w", err)
	}
	f := newAuthCodeFlow(o)
	base, err := client.CodeURL(ctx, CodeURLRequest{ClientID: o.ClientID, RedirectURI: o.RedirectURI, Scopes: f.Scopes, Claims: o.Claims})
	if err != nil {
		return AuthCodeFlow{}, FromMSAL(err)
	}
	if f.AuthURI, err = f.url(base, o); err != nil {
		return AuthCodeFlow{}, err
	}
	return f, nil
}

func (o *AuthCodeOptions) check() error {
	redirect, err := url.Parse(o.RedirectURI)
	switch {
	case o.ClientID == "":
		return fmt.Errorf("%w: no ClientID", ErrFlow)
	case err != nil || !redirect.IsAbs() || redirect.Fragment != "":
		return fmt.Errorf("%w: the RedirectURI has to be a whole URL without a fragment", ErrFlow)
	case o.ResponseType != "" && o.ResponseType != "code":
		return fmt.Errorf("%w: the response type %q; only code can be completed", ErrFlow, o.ResponseType)
	case o.MaxAge != nil && *o.MaxAge < 0:
		return fmt.Errorf("%w: MaxAge is less than 0", ErrFlow)
	}
	for _, name := range reserved {
		if o.Query.Has(name) {
			return fmt.Errorf("%w: %s in Query; the flow sends it itself", ErrFlow, name)
		}
	}
	for _, scope := range o.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\r\n") {
			return fmt.Errorf("%w: the scope %q", ErrFlow, scope)
		}
	}
	return nil
}

// url adds to MSAL's URL what MSAL can't.
func (f *AuthCodeFlow) url(base string, o AuthCodeOptions) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("msalext: beginning an authorization code flow: MSAL's URL: %w", err)
	}
	query := u.Query()
	for name, values := range o.Query {
		query[name] = values
	}
	for name, value := range map[string]string{
		"state": f.State, "nonce": f.sentNonce(), "code_challenge": challengeOf(f.CodeVerifier), "code_challenge_method": "S256",
		"prompt": string(o.Prompt), "login_hint": o.LoginHint, "domain_hint": o.DomainHint, "response_mode": o.ResponseMode,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if o.MaxAge != nil {
		query.Set("max_age", strconv.Itoa(*o.MaxAge))
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}
