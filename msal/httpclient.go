package msal

import (
	"net/http"

	"github.com/msalext/msalext/extensions/persist"
)

// A Doer sends HTTP requests. It is what the WithHTTPClient options of MSAL's
// clients take, and *http.Client is one.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
	CloseIdleConnections()
}

// HTTPClient returns what the WithHTTPClient options of MSAL's public and
// confidential clients take. It sends requests through base, and helps where
// two processes redeem one refresh token at once, and the identity provider
// lets each be used only once: whoever comes second is refused, although the
// first has stored a new one.
//
//	client, err := public.New(clientID, public.WithCache(msal.Accessor(c)),
//		public.WithHTTPClient(msal.HTTPClient(c, nil)))
//
// Where a request with grant_type=refresh_token is answered invalid_grant, and
// c by now holds a refresh token of the same account that it didn't hold when
// MSAL read it, for the same client id or the same family of applications, the
// request is sent once more with that token. A third process may have redeemed
// that one as well; then the same is done again, and the answer to the fourth
// request counts whatever it is. No token is sent twice. The process that came
// first may need a moment to store its token, so an answer that can mean a used
// token is held back for up to a second; not so where the account was signed
// out, or where the answer says that a person has to do something. All other
// requests and answers pass as they are.
//
// c must be the cache of the client's [Accessor]. A nil base means
// http.DefaultClient. What else is in the request, such as a client assertion,
// is sent again with it.
//
// The result is safe for concurrent use as far as base is. It keeps no token
// but those that c holds, or held when MSAL last read it.
func HTTPClient(c *persist.PersistedTokenCache, base Doer) Doer {
	if base == nil {
		base = http.DefaultClient
	}
	return &httpClient{Doer: base, cache: c, recent: recentOf(c)}
}

type httpClient struct {
	Doer // sends

	cache  *persist.PersistedTokenCache
	recent *recent
}

// maxRetries bounds how often a request is sent again: each loss takes another
// process that was faster.
const maxRetries = 3

// Do sends the request, and again where the cache has a newer token.
func (h *httpClient) Do(req *http.Request) (*http.Response, error) {
	earlier := h.look(req)
	req, form := refreshForm(req)
	resp, err := h.Doer.Do(req)
	if form == nil {
		return resp, err
	}
	for tried := []string{form.token()}; err == nil && len(tried) <= maxRetries; {
		refused := refusalOf(resp)
		if refused == nil {
			break
		}
		newer, now := h.newer(req.Context(), tried, earlier, refused.mayBeUsed())
		if newer == "" {
			break
		}
		// It has been read; an error of closing it says nothing of what comes next.
		_ = resp.Body.Close()
		resp, err = h.Doer.Do(form.with(req, newer))
		tried, earlier = append(tried, newer), []persist.View{now}
	}
	return resp, err
}

// look returns the cache as it is now, and as it was before: what MSAL sends it
// read a moment ago, and another process may have replaced it by now. A cache
// that can't be read is no reason not to send.
func (h *httpClient) look(req *http.Request) []persist.View {
	if view, err := h.cache.View(req.Context()); err == nil {
		h.recent.note(view)
	}
	return h.recent.views()
}
