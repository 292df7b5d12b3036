package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/msalext/msalext/msal"
)

// Client returns an HTTP client that sends requests with a token for scopes, to
// the API that they are of and to no other: for https://api.example/Read that is
// https://api.example, for words such as User.Read the host of Config.GraphURL,
// and for others, such as api://orders/Read, none; use [Session.ClientFor]. No
// scopes: Config.GraphScopes.
//
// An answer with a claims challenge makes it get a token with those claims, and
// send the request once more; where a person has to sign in for them, the request
// fails with a [*ClaimsError].
func (s *Session) Client(scopes ...string) *http.Client {
	client, err := s.ClientFor([]string{s.app.originOf(scopes)}, scopes...)
	if err != nil {
		return s.app.client(refusing{err})
	}
	return client
}

// ClientFor is [Session.Client] for APIs whose address doesn't follow from their
// scopes. Origins, and the error, are as for [msal.Authorize].
func (s *Session) ClientFor(origins []string, scopes ...string) (*http.Client, error) {
	transport, err := msal.Authorize(s.app.cfg.HTTPClient.Transport, func(ctx context.Context, claims string) (string, error) {
		token, err := s.token(ctx, ask{claims: claims}, scopes)
		return token.Value, err
	}, origins...)
	if err != nil {
		return nil, err
	}
	return s.app.client(transport), nil
}

// client is the configured one, with another transport.
func (a *App) client(transport http.RoundTripper) *http.Client {
	own := *a.cfg.HTTPClient
	own.Transport = transport
	return &own
}

// refusing is a client that can send nothing.
type refusing struct{ err error }

func (r refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close() // RoundTrippers have to, and what fails says less than err
	}
	return nil, r.err
}

// originOf is where the API of the scopes is.
func (a *App) originOf(scopes []string) string {
	where := a.cfg.GraphURL
	for _, scope := range scopes {
		if strings.Contains(scope, "/") {
			where = scope
			break
		}
	}
	u, err := url.Parse(where)
	if err != nil {
		return where
	}
	return u.Scheme + "://" + u.Host
}

// Credential returns what Azure's and Microsoft's client libraries take. It
// gives tokens for the scopes, claims and tenant that they ask for; no scopes:
// those given here.
func (s *Session) Credential(scopes ...string) azcore.TokenCredential {
	return credential{s, scopes}
}

type credential struct {
	session *Session
	scopes  []string
}

// GetToken returns a token.
func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	scopes := o.Scopes
	if len(scopes) == 0 {
		scopes = c.scopes
	}
	token, err := c.session.token(ctx, ask{o.Claims, o.TenantID}, scopes)
	return azcore.AccessToken{Token: token.Value, ExpiresOn: token.Expires.UTC()}, err
}

// Graph returns Microsoft Graph as this person. An answer may take a minute where
// Config.HTTPClient has no time-out.
func (s *Session) Graph() *Graph {
	client := s.Client(s.app.cfg.GraphScopes...)
	client.Timeout = cmp.Or(client.Timeout, requestTime)
	return &Graph{Client: client, URL: s.app.cfg.GraphURL}
}
