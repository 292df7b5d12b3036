package msal

import (
	"net/http"
	"slices"
	"sync"

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
// the request was sent, for the same client id or the same family of
// applications, the request is sent once more with that token, and the second
// answer counts whatever it is. The process that came first may need a moment
// to store its token, so an answer that can mean a used token is held back for
// up to a second; not so where the account was signed out, or where the answer
// says that a person has to do something. All other requests and answers pass
// as they are.
//
// c must be the cache of the client's [Accessor]. A nil base means
// http.DefaultClient. What else is in the request, such as a client assertion,
// is sent twice with it.
//
// The result is safe for concurrent use as far as base is. It keeps no token
// but those that c holds, or held at the last few requests.
func HTTPClient(c *persist.PersistedTokenCache, base Doer) Doer {
	if base == nil {
		base = http.DefaultClient
	}
	return &httpClient{Doer: base, cache: c}
}

type httpClient struct {
	Doer // sends

	cache *persist.PersistedTokenCache

	mu   sync.Mutex
	seen []persist.View // what the cache was at requests, the latest first
}

// Do sends the request, and once more where the cache has a newer token.
func (h *httpClient) Do(req *http.Request) (*http.Response, error) {
	earlier := h.look(req)
	req, form := refreshForm(req)
	resp, err := h.Doer.Do(req)
	if form == nil || err != nil {
		return resp, err
	}
	refused := refusalOf(resp)
	if refused == nil {
		return resp, nil
	}
	newer := h.newer(req.Context(), form.token(), earlier, refused.mayBeUsed())
	if newer == "" {
		return resp, nil
	}
	// It has been read; an error of closing it says nothing of what comes next.
	_ = resp.Body.Close()
	return h.Doer.Do(form.with(req, newer))
}

// maxSeen bounds the memory of a program whose cache is large.
const maxSeen = 4

// look returns the cache as it is now, and what it was at the requests before:
// MSAL reads the cache, perhaps asks where the token endpoint is, and then
// sends the token, which another process may have replaced by then. A cache
// that can't be read is no reason not to send.
func (h *httpClient) look(req *http.Request) []persist.View {
	view, err := h.cache.View(req.Context())
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && (len(h.seen) == 0 || !view.Same(h.seen[0])) {
		h.seen = slices.Insert(h.seen, 0, view)
		h.seen = slices.Delete(h.seen, min(len(h.seen), maxSeen), len(h.seen))
	}
	return slices.Clone(h.seen)
}
