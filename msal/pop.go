package msal

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// PopOptions is the one HTTP request that a proof of possession is for. All of
// HTTPMethod, URL and Nonce are required, as in MSAL Python.
type PopOptions struct {
	HTTPMethod string // in upper case: GET, POST, PUT, DELETE or PATCH
	URL        string // of the API, https; a fragment isn't sent and isn't signed
	Nonce      string // what the API's challenge says; see [PopNonce]
	// Query signs the URL's query as well. Few APIs look at it.
	Query bool
}

// PopAuthScheme asks for an access token that is bound to a key of this
// process, and makes of it a proof that the sender of one HTTP request has that
// key: a signed HTTP request (draft-ietf-oauth-signed-http-request-03), as
// Entra ID's resources and MSAL for .NET and JavaScript know it. Who steals the
// token, from a log or the cache, can't use it.
//
// Pass it to WithAuthenticationScheme of MSAL's clients; the AccessToken of
// their results then is the proof, to be sent once, with
// [PopAuthScheme.AuthorizationHeader]. It stands for MSAL Python's class of
// that name, which hands the work to a broker. Here it is done without one; so
// it needs a provider that binds tokens to keys of an application (req_cnf), and
// an API that accepts such proofs. Most of Microsoft's own APIs don't.
//
// The key is RSA with 2048 bits, made when it is first needed. It never leaves
// the process and ends with it: a token that another process left in the cache
// is bound to another key, and MSAL gets a new one.
//
// [NewPop] makes one; the zero value can't make a proof. It isn't changed after
// that, and is safe for concurrent use.
type PopAuthScheme struct {
	options PopOptions
	url     *url.URL
	key     *popKey
}

// ErrPop: a proof of possession can't be made for this request, or the provider
// was asked for a bound token and issued one of another type.
var ErrPop = errors.New("no proof of possession can be made")

var popMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch}

// NewPop checks the options, and makes the process's key where there is none
// yet, which takes up to a second. What can't be used is [ErrPop].
func NewPop(o PopOptions) (*PopAuthScheme, error) {
	const doing = "msalext: preparing a proof of possession: %w: %s"
	u, err := url.Parse(o.URL)
	switch {
	case !slices.Contains(popMethods, o.HTTPMethod):
		return nil, fmt.Errorf(doing, ErrPop, fmt.Sprintf("HTTPMethod is %.20q; pass one of %q", o.HTTPMethod, popMethods))
	case err != nil || u.Host == "" || u.User != nil || !private(u):
		return nil, fmt.Errorf(doing, ErrPop, "URL has to be a whole https URL without a user")
	case o.Nonce == "":
		return nil, fmt.Errorf(doing, ErrPop, "no Nonce; call the API without a token and take that of its answer")
	}
	key, err := processPopKey()
	if err != nil {
		return nil, fmt.Errorf(doing, ErrPop, err)
	}
	return &PopAuthScheme{options: o, url: u, key: key}, nil
}

// TokenRequestParams is what MSAL sends to the token endpoint beside its own:
// that the token is to be bound, and to which key. The zero value asks for
// nothing.
func (s *PopAuthScheme) TokenRequestParams() map[string]string {
	if s.key == nil {
		return nil
	}
	return map[string]string{"token_type": popType, "req_cnf": s.key.confirmation}
}

// KeyID is the key's thumbprint (RFC 7638), by which MSAL finds the tokens that
// are bound to it in its cache.
func (s *PopAuthScheme) KeyID() string {
	if s.key == nil {
		return ""
	}
	return s.key.id
}

// AccessTokenType is the token_type that the provider answers with.
func (s *PopAuthScheme) AccessTokenType() string { return popType }

// FormatAccessToken makes the proof of a token that is bound to the key. MSAL
// calls it; call it for a token from elsewhere. The proof has the time in it,
// and APIs take it for some minutes. The error is [ErrPop].
func (s *PopAuthScheme) FormatAccessToken(accessToken string) (string, error) {
	if s.key == nil {
		return "", fmt.Errorf("msalext: making a proof of possession: %w: the scheme wasn't made by NewPop", ErrPop)
	}
	proof, err := s.sign(accessToken)
	if err != nil {
		return "", fmt.Errorf("msalext: making a proof of possession: %w: %w", ErrPop, err)
	}
	return proof, nil
}

// AuthorizationHeader is the Authorization field of the request that a proof is
// for. It stands for "PoP " and the token in MSAL Python's examples.
func (s *PopAuthScheme) AuthorizationHeader(proof string) string { return "PoP " + proof }

// PopNonce returns the nonce that an API wants in the next proof: of a PoP
// challenge in WWW-Authenticate, or of Authentication-Info. It is "" where
// there is none. A WWW-Authenticate that is malformed before that challenge is
// [ErrChallenge].
func PopNonce(h http.Header) (string, error) {
	challenges, err := ParseChallenges(h)
	for _, c := range challenges {
		if c.Scheme == "pop" && c.Params["nonce"] != "" {
			return c.Params["nonce"], nil
		}
	}
	s := scanner{text: h.Get("Authentication-Info")} // RFC 7615: parameters without a scheme
	next := map[string]string{}
	if len(s.text) <= maxChallengeHeader && s.params(next) && err == nil {
		return next["nextnonce"], nil
	}
	return "", err
}

// IsPopSupported tells whether MSAL Python's is_pop_supported would be true
// here: only where a broker makes the proofs, and there is none ([ErrBroker]).
// [PopAuthScheme] works without a broker, but whether a provider and an API take
// what it makes no client can tell.
func IsPopSupported() bool { return false }
