package msaltest

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
)

// refreshToken is what a refresh token was issued for.
type refreshToken struct {
	grant
	used    bool
	revoked bool
}

// authCode is what an authorization code was issued for.
type authCode struct {
	grant
	redirectURI string
	challenge   string // PKCE (RFC 7636); empty: none
	method      string // S256, or plain when empty
	used        bool
}

func (s *Server) redeemPassword(form url.Values, to grant) (*tokenJSON, *Failure) {
	u, exists := s.user(form.Get("username"))
	switch {
	case !exists:
		return nil, invalidGrant(50034, "", "The user account doesn't exist in the tenant.")
	case form.Get("password") != u.Password:
		return nil, invalidGrant(50126, "", "Error validating credentials due to invalid username or password.")
	}
	to.username = u.Username
	return s.issue(to), nil
}

// redeemRefresh issues tokens for the user of a refresh token, among them the
// next refresh token.
func (s *Server) redeemRefresh(form url.Values, to grant) (*tokenJSON, *Failure) {
	token, known := s.refresh[form.Get("refresh_token")]
	switch {
	case !known:
		return nil, invalidGrant(70000, "bad_token", "The refresh token isn't valid.")
	case token.revoked:
		return nil, invalidGrant(50173, "bad_token", "The grant was revoked. The user must sign in again.")
	case token.used && s.opts.SingleUseRefreshTokens:
		return nil, invalidGrant(70000, "bad_token", "The refresh token was already redeemed.")
	case token.clientID != to.clientID && s.opts.FamilyID == "":
		return nil, invalidGrant(70000, "client_mismatch", "The refresh token was issued to another client.")
	}
	token.used = true
	to.username, to.scope = token.username, cmp.Or(to.scope, token.scope)
	return s.issue(to), nil
}

func (s *Server) redeemCode(form url.Values, to grant) (*tokenJSON, *Failure) {
	code, known := s.codes[form.Get("code")]
	switch {
	case !known || code.clientID != to.clientID:
		return nil, invalidGrant(70000, "", "The authorization code isn't valid.")
	case code.used:
		return nil, invalidGrant(54005, "", "The authorization code was already redeemed.")
	case code.redirectURI != form.Get("redirect_uri"):
		return nil, invalidGrant(500112, "", "The redirect_uri differs from the one that the code was requested with.")
	case !code.provenBy(form.Get("code_verifier")):
		return nil, invalidGrant(501481, "", "The code_verifier doesn't match the code_challenge.")
	}
	code.used = true
	to.username, to.nonce, to.signedIn = code.username, code.nonce, code.signedIn
	to.scope = cmp.Or(to.scope, code.scope)
	return s.issue(to), nil
}

// provenBy checks the verifier of RFC 7636 §4.6.
func (c *authCode) provenBy(verifier string) bool {
	switch {
	case c.challenge == "":
		return true
	case c.method == "S256":
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return verifier == c.challenge
}

// redeemBehalf issues tokens for the user of an access token that the fake
// issued for the API that asks.
func (s *Server) redeemBehalf(form url.Values, to grant) (*tokenJSON, *Failure) {
	if use := form.Get("requested_token_use"); use != "on_behalf_of" {
		return nil, missingParameter("requested_token_use")
	}
	claims, err := s.verify(form.Get("assertion"))
	if err != nil {
		return nil, invalidGrant(50013, "", "Assertion failed signature validation: "+err.Error()+".")
	}
	username, _ := claims["upn"].(string)
	if username == "" {
		return nil, invalidGrant(50013, "", "The assertion isn't an access token of a user.")
	}
	audience, _ := claims["aud"].(string)
	app := s.apps[to.clientID]
	if len(app.Identifiers) > 0 && audience != to.clientID && !slices.Contains(app.Identifiers, audience) {
		return nil, invalidGrant(500131, "", "Assertion audience does not match the Client app presenting the assertion.")
	}
	to.username = username
	return s.issue(to), nil
}
