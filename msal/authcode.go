package msal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
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
	// ResponseType is what the browser brings: code, or empty for the same;
	// "code id_token", so that who signed in is known before the code is
	// redeemed; or id_token, where nothing else is wanted. The latter two need
	// the ResponseMode form_post or fragment, and a verifier at the end.
	ResponseType string
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
	// ResponseType is empty for code, and else what was asked for. Python, which
	// asks for code alone, doesn't know the member.
	ResponseType string `json:"response_type,omitempty"`
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

// BeginAuthCode begins the authorization code flow (RFC 6749 §4.1, OpenID
// Connect Core §3.1) with a state, a nonce, and PKCE by S256 (RFC 7636), and
// sends nothing but a request for the authorization endpoint's address, which
// MSAL remembers. It stands for MSAL Python's initiate_auth_code_flow, and for
// get_authorization_request_url.
//
// What can't be asked for is [ErrFlow]. Among it are response types with token:
// an access token in a browser's hands can be taken, or exchanged for another.
func BeginAuthCode(ctx context.Context, client CodeClient, o AuthCodeOptions) (AuthCodeFlow, error) {
	if err := o.check(); err != nil {
		return AuthCodeFlow{}, fmt.Errorf(beginning, err)
	}
	f := newAuthCodeFlow(o)
	own := map[string]string{"state": f.State, "nonce": f.sentNonce()}
	if f.ResponseType != "" {
		own["response_type"] = f.ResponseType
	}
	if f.CodeVerifier != "" {
		own["code_challenge"], own["code_challenge_method"] = challengeOf(f.CodeVerifier), "S256"
	}
	var err error
	f.AuthURI, err = o.url(ctx, client, f.Scopes, own)
	if err != nil {
		return AuthCodeFlow{}, err
	}
	return f, nil
}
