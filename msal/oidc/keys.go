package oidc

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/msalext/msalext/msal"
)

// maxDocument bounds a configuration or a list of keys. Entra ID's list, the
// longest known, has 20 kB.
const maxDocument = 1 << 20

const (
	pause   = 5 * time.Second  // how long nobody asks for keys that stay the same
	timeout = 30 * time.Second // of a request, where the application's client has none
)

// keyring is go-oidc's view of the network: it bounds what comes from there,
// doesn't ask too often, and notes what go-oidc drops, whose key each is.
type keyring struct {
	base   http.RoundTripper
	client *http.Client

	mu     sync.Mutex
	at     time.Time
	last   []byte              // the list of keys
	same   bool                // as the one before
	owners map[string][]string // issuers of keys, by key id
	owned  bool                // any key has one
}

func newKeyring(client *http.Client) *keyring {
	if client == nil {
		client = http.DefaultClient
	}
	k := &keyring{base: client.Transport}
	if k.base == nil {
		k.base = http.DefaultTransport
	}
	own := *client
	own.Transport, own.Timeout = k, cmp.Or(client.Timeout, timeout)
	k.client = &own
	return k
}

// remote is go-oidc's set of the keys at an address. It keeps its context, so
// that isn't a caller's.
func (k *keyring) remote(address string) *goidc.RemoteKeySet {
	ctx := context.WithValue(context.Background(), keysRequest{}, true)
	return goidc.NewRemoteKeySet(goidc.ClientContext(ctx, k.client), address)
}

// fetchError is an answer that isn't a document of the issuer's.
type fetchError struct{ reason string }

func (e *fetchError) Error() string { return e.reason }

// keysRequest marks a context of a request for keys.
type keysRequest struct{}

// RoundTrip asks for a document. All but 200 is an error, a redirect as well:
// the documents are where they are said to be.
func (k *keyring) RoundTrip(req *http.Request) (*http.Response, error) {
	keys := req.Context().Value(keysRequest{}) != nil
	if keys {
		if recent := k.recent(); recent != nil {
			return documentOf(req, recent), nil
		}
	}
	resp, err := k.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &fetchError{fmt.Sprintf("HTTP status %d", resp.StatusCode)}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxDocument:
		return nil, &fetchError{fmt.Sprintf("more than %d bytes", maxDocument)}
	case !json.Valid(body):
		return nil, &fetchError{"it isn't JSON"}
	}
	if keys {
		k.note(body)
	}
	return documentOf(req, body), nil
}

func documentOf(req *http.Request, body []byte) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
	}
}

// recent is the list of a moment ago, or nil.
func (k *keyring) recent() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.same && time.Since(k.at) < pause {
		return k.last
	}
	return nil
}

// note keeps the list, and whose its keys are: Entra ID publishes keys of
// several issuers in one list, each with the issuer that it is for
// (https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signing-key-issuer).
func (k *keyring) note(body []byte) {
	var list struct {
		Keys []struct {
			ID     string `json:"kid"`
			Issuer string `json:"issuer"`
		} `json:"keys"`
	}
	owners, owned := map[string][]string{}, false
	if json.Unmarshal(body, &list) == nil { // what it isn't, go-oidc says
		for _, key := range list.Keys {
			owners[key.ID] = append(owners[key.ID], key.Issuer)
			owned = owned || key.Issuer != ""
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.same = bytes.Equal(body, k.last)
	k.at, k.last, k.owners, k.owned = time.Now(), body, owners, owned
}

// signsFor tells whether the key may sign for the token's issuer. Where the list
// says whose keys are, a token has to name a key in it.
func (k *keyring) signsFor(keyID string, t *msal.IDToken) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.owned {
		return true
	}
	owners := k.owners[keyID]
	foreign := func(owner string) bool { return owner != "" && forTenant(owner, t) != t.Issuer }
	return len(owners) > 0 && !slices.ContainsFunc(owners, foreign)
}
