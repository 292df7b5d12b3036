package msal

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
)

// openIDScopes are what every sign-in asks for, as MSAL Python adds it: an ID
// token, the profile in it, and a refresh token.
var openIDScopes = []string{"offline_access", "openid", "profile"}

func newAuthCodeFlow(o AuthCodeOptions) AuthCodeFlow {
	f := AuthCodeFlow{
		State:        cmp.Or(o.State, randomText()),
		RedirectURI:  o.RedirectURI,
		Scopes:       withOpenID(o.Scopes),
		CodeVerifier: randomText(),
		Nonce:        randomText(),
		Claims:       o.Claims,
	}
	if o.MaxAge != nil {
		f.MaxAge = new(*o.MaxAge)
	}
	if kind := o.responseType(); kind != "code" {
		f.ResponseType = kind
	}
	if f.ResponseType == idTokenType {
		f.CodeVerifier = "" // there will be no code to prove anything about
	}
	return f
}

func withOpenID(scopes []string) []string {
	all := slices.Clone(scopes)
	for _, s := range openIDScopes {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// randomText is 256 random bits in 43 characters: the shortest verifier that
// RFC 7636 §4.1 allows.
func randomText() string {
	var b [32]byte
	rand.Read(b[:]) // never fails, since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// challengeOf is S256 of RFC 7636 §4.2.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sentNonce is what the provider gets to see of the nonce, so that who reads
// the URL doesn't know the nonce (OpenID Connect Core §15.5.2). MSAL Python
// sends the same.
func (f *AuthCodeFlow) sentNonce() string {
	sum := sha256.Sum256([]byte(f.Nonce))
	return hex.EncodeToString(sum[:])
}
