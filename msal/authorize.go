package msal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// TokenFunc returns an access token. Claims are "", or what a server wants a
// new token to say, as JSON for MSAL's WithClaims: a token from the cache is
// then not good enough, and MSAL's silent calls don't return one. It may be
// called by several goroutines at once.
type TokenFunc func(ctx context.Context, claims string) (accessToken string, err error)

// ErrOrigin: an origin isn't one that tokens may be sent to.
var ErrOrigin = errors.New("not an origin that tokens may be sent to")

// Authorize returns a RoundTripper that sends requests through base with an
// access token (RFC 6750 §2.1), to the given origins only. An origin is scheme,
// host and port where it isn't the scheme's own, such as
// https://graph.microsoft.com; plain http is refused but to this machine. A
// request to anywhere else, for example after a redirect, and one that has an
// Authorization field already, passes as it is.
//
// Where the answer is 401 with a claims challenge ([ParseClaimsChallenge]), the
// token function is called with the claims and the request sent once more. If
// it returns "", or the body can't be had again (no GetBody), the 401 answer is
// what comes back; if it returns an error, such as [ErrInteractionRequired],
// that. A first "" sends the request without a token.
//
//	client := &http.Client{Transport: rt} // rt, err := msal.Authorize(msal.Retry(nil, nil), token, "https://graph.microsoft.com")
//
// Nil base is http.DefaultTransport. The error is [ErrOrigin] where there is no
// origin, or one that isn't as above. An error of token is that of the request.
// The result is safe for concurrent use as far as base and token are.
func Authorize(base http.RoundTripper, token TokenFunc, origins ...string) (http.RoundTripper, error) {
	a := &authorizer{base: base, token: token, origins: map[string]bool{}}
	if base == nil {
		a.base = http.DefaultTransport
	}
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.User != nil || strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || !private(u) {
			return nil, fmt.Errorf("msalext: authorizing requests: %q: %w; pass such as https://graph.microsoft.com", withoutUser(origin), ErrOrigin)
		}
		a.origins[originOf(u)] = true
	}
	if len(a.origins) == 0 || token == nil {
		return nil, fmt.Errorf("msalext: authorizing requests: no origin or no token function: %w", ErrOrigin)
	}
	return a, nil
}

// withoutUser takes a password that somebody put into a URL out of a message.
func withoutUser(origin string) string {
	if i := strings.LastIndexByte(origin, '@'); i >= 0 {
		return redacted + origin[i:]
	}
	return origin
}

// private tells whether nobody on the way can read what is sent there.
func private(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && err == nil && ip.IsLoopback()
}

// originOf is scheme, host and port (RFC 6454 §4).
func originOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

type authorizer struct {
	base    http.RoundTripper
	token   TokenFunc
	origins map[string]bool
}

// CloseIdleConnections is what http.Client calls.
func (a *authorizer) CloseIdleConnections() { closeIdle(a.base) }

// RoundTrip sends the request with a token.
func (a *authorizer) RoundTrip(req *http.Request) (*http.Response, error) {
	if !a.origins[originOf(req.URL)] || len(req.Header.Values("Authorization")) > 0 {
		return a.base.RoundTrip(req)
	}
	token, err := a.token(req.Context(), "")
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := a.base.RoundTrip(bearing(req.Clone(req.Context()), token))
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !replayable(req) {
		return resp, err
	}
	return a.again(req, resp)
}

// again sends the request with a token that has the claims the server asked
// for.
func (a *authorizer) again(req *http.Request, refused *http.Response) (*http.Response, error) {
	claims, err := ParseClaimsChallenge(refused.Header)
	if err != nil || claims == "" {
		return refused, nil // what a server may say in its own way is for the caller
	}
	token, err := a.token(req.Context(), claims)
	if err != nil {
		discard(refused)
		return nil, err
	}
	if token == "" {
		return refused, nil
	}
	next, err := replay(req)
	if err != nil {
		return refused, nil
	}
	discard(refused)
	return a.base.RoundTrip(bearing(next, token))
}

func bearing(req *http.Request, token string) *http.Request {
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req
}
