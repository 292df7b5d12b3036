// Package oidc verifies ID tokens against the keys of their issuer, with
// github.com/coreos/go-oidc. It is apart from package msal, so that programs
// that verify nothing don't carry it.
//
//	verifier, err := oidc.New(oidc.Options{Authority: "https://login.microsoftonline.com/common", ClientID: clientID})
//	token, err := verifier.VerifyIDToken(ctx, raw, &msal.IDTokenChecks{Nonce: nonce})
//
// A token that the token endpoint gave to this very program over TLS needs no
// such proof (OpenID Connect Core §3.1.3.7); one that a browser or another
// program brought does. [msal.AuthCodeFlow] takes a [Verifier] for its response
// types with an ID token.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/singleflight"

	"github.com/msalext/msalext/msal"
)

// Options say whose ID tokens are accepted. One of Authority and Issuer is
// required, and ClientID.
type Options struct {
	// Authority is one of Entra ID's, as MSAL has it: an https URL with a
	// tenant, such as https://login.microsoftonline.com/common, or AD FS with
	// the path adfs. Its configuration at …/v2.0/.well-known/openid-configuration
	// names the issuer, which has to be at the authority's own host; at common
	// and organizations it is another one for each tenant.
	Authority string
	// Issuer is that of any OpenID Connect provider, letter by letter: an https
	// URL without query. Beside an Authority it is the issuer that this one's
	// configuration has to name, for those at another host.
	Issuer string
	// ClientID is the application's: tokens for others are refused.
	ClientID string
	// Tenants are those whose people may sign in, by their ids, where the
	// authority is for many. Nil: all of them.
	Tenants []string
	// HTTPClient asks for configuration and keys. It isn't changed. Nil is
	// http.DefaultClient. Redirects aren't followed.
	HTTPClient *http.Client
}

// ErrKeys: the issuer's configuration or its keys can't be had, or aren't what
// they should be. It says nothing about the token; the same one may be verified
// later.
var ErrKeys = errors.New("the issuer's keys can't be had")

// Verifier verifies ID tokens; it is an [msal.IDTokenVerifier]. It asks for the
// issuer's configuration at the first token and keeps it, and for keys then and
// whenever a token was signed with one that it doesn't have. As anybody can make
// such a token, it waits 5 s where that brought no other keys. It is safe for
// concurrent use; make one and keep it.
type Verifier struct {
	options Options
	tenant  string // the authority's
	keys    *keyring
	flight  singleflight.Group
	known   source
}

var _ msal.IDTokenVerifier = (*Verifier)(nil)

// New makes a verifier, and sends nothing. The error is [msal.ErrOptions].
func New(o Options) (*Verifier, error) {
	const doing = "msalext: preparing to verify ID tokens: %w: %s"
	authority, issuer := o.Authority == "" || secure(o.Authority), o.Issuer == "" || secure(o.Issuer)
	switch {
	case o.ClientID == "":
		return nil, fmt.Errorf(doing, msal.ErrOptions, "no ClientID")
	case !authority || !issuer || o.Authority == "" && o.Issuer == "":
		return nil, fmt.Errorf(doing, msal.ErrOptions, "Authority or Issuer has to be an https URL without user, query and fragment")
	case o.Authority == "" && len(o.Tenants) > 0:
		return nil, fmt.Errorf(doing, msal.ErrOptions, "Tenants needs an Authority")
	}
	o.Tenants = slices.Clone(o.Tenants)
	return &Verifier{options: o, tenant: strings.ToLower(lastSegment(o.Authority)), keys: newKeyring(o.HTTPClient)}, nil
}

// secure tells whether an address is an https URL that names a place.
func secure(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func lastSegment(address string) string {
	address = strings.TrimRight(address, "/")
	return address[strings.LastIndexByte(address, '/')+1:]
}

// VerifyIDToken returns the token where a key of the accepted issuer signed it,
// with an asymmetric algorithm that the issuer uses, and where audience, nonce
// and time are as [msal.DecodeIDToken] compares them. Nil checks mean the zero
// value; a ClientID or Issuer in them is compared beside the verifier's own.
//
// What is wrong with a token is an [*msal.IDTokenError]: malformed, not signed
// by the issuer ([msal.ErrIDTokenSignature]: also alg none, a shared secret's
// algorithm, an unknown key, and a key that is another issuer's), and the kinds
// of DecodeIDToken, after the signature was found good. Then there is no token,
// not even with a wrong time. If keys can't be had the error is [ErrKeys], or
// the context's.
func (v *Verifier) VerifyIDToken(ctx context.Context, raw string, checks *msal.IDTokenChecks) (*msal.IDToken, error) {
	header, err := headerOf(raw)
	if err != nil {
		return nil, err
	}
	from, err := v.source(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(from.algorithms, header.Algorithm) {
		return nil, unsigned("the algorithm %.20q isn't one of %q", header.Algorithm, from.algorithms)
	}
	if err := verify(ctx, from, raw); err != nil {
		return nil, err
	}
	return v.compare(from, header.KeyID, raw, checks)
}

// compare looks at what a signed token says.
func (v *Verifier) compare(from source, keyID, raw string, checks *msal.IDTokenChecks) (*msal.IDToken, error) {
	if checks == nil {
		checks = &msal.IDTokenChecks{}
	}
	own := *checks
	own.ClientID = v.options.ClientID
	t, err := msal.DecodeIDToken(raw, &own)
	if err != nil {
		return nil, err
	}
	if checks.ClientID != "" && checks.ClientID != v.options.ClientID {
		return nil, &msal.IDTokenError{Kind: msal.ErrIDTokenAudience, Err: fmt.Errorf("the verifier is for %q, not for %q", v.options.ClientID, checks.ClientID)}
	}
	if err := v.accepts(from, t); err != nil {
		return nil, err
	}
	if !v.keys.signsFor(keyID, t) {
		return nil, unsigned("the key is another issuer's")
	}
	return t, nil
}

func unsigned(format string, args ...any) *msal.IDTokenError {
	return &msal.IDTokenError{Kind: msal.ErrIDTokenSignature, Err: fmt.Errorf(format, args...)}
}
