package msal

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// SharedDiscovery returns what the WithHTTPClient options of MSAL's clients
// take, for programs that have many of them. Each new client asks the identity
// provider where its endpoints are and under which names it is known, which is
// the same for all. SharedDiscovery asks once and answers the others from
// memory, for a day; an answer that tells no endpoint isn't kept. All other requests pass as they are, through base; nil means
// http.DefaultClient.
//
// What it remembers holds no token. It is safe for concurrent use as far as base
// is.
func SharedDiscovery(base Doer) Doer {
	if base == nil {
		base = http.DefaultClient
	}
	return &discovery{Doer: base, known: map[string]*document{}}
}

const (
	discoveryLife = 24 * time.Hour
	// discoveryMost bounds the documents, of which a program for the users of
	// many tenants has one for each.
	discoveryMost = 1000
	// documentMost is far above what such a document has.
	documentMost = 1 << 20
)

type discovery struct {
	Doer

	mu    sync.Mutex
	known map[string]*document // by URL
}

// document is an answer, or the place for one.
type document struct {
	asking chan struct{} // holds one token; who has it may ask
	at     time.Time     // when it came; zero: it didn't
	header http.Header
	body   []byte
}

// Do sends the request, unless its answer is known.
func (d *discovery) Do(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || !isDiscovery(req.URL.Path) {
		return d.Doer.Do(req)
	}
	doc := d.document(req.URL.String())
	if err := doc.take(req.Context()); err != nil {
		return nil, err
	}
	defer func() { doc.asking <- struct{}{} }()
	if !doc.at.IsZero() && time.Since(doc.at) < discoveryLife {
		return doc.answer(req), nil
	}
	resp, err := d.Doer.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	return doc.learn(req, resp)
}

func isDiscovery(path string) bool {
	return strings.HasSuffix(path, "/discovery/instance") || strings.HasSuffix(path, "/.well-known/openid-configuration")
}

func (d *discovery) document(url string) *document {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc := d.known[url]
	if doc == nil {
		if len(d.known) >= discoveryMost {
			clear(d.known) // seldom enough not to need an order
		}
		doc = &document{asking: make(chan struct{}, 1)}
		doc.asking <- struct{}{}
		d.known[url] = doc
	}
	return doc
}

// take waits for who asks already.
func (doc *document) take(ctx context.Context) error {
	select {
	case <-doc.asking:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// learn keeps an answer. One that is too large passes unkept, and so does what
// isn't such a document, as a proxy's page where people sign in to a network.
func (doc *document) learn(req *http.Request, resp *http.Response) (*http.Response, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, documentMost+1))
	if err != nil {
		_ = resp.Body.Close() // reading it has failed, which says more
		return nil, err
	}
	if len(body) > documentMost {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
		return resp, nil
	}
	_ = resp.Body.Close() // all of it was read
	if !tellsEndpoints(body) {
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, nil
	}
	doc.at, doc.header, doc.body = time.Now(), resp.Header.Clone(), body
	return doc.answer(req), nil
}

// tellsEndpoints tells whether MSAL can do something with a document of either
// kind.
func tellsEndpoints(body []byte) bool {
	var is struct {
		Token  string `json:"token_endpoint"`
		Tenant string `json:"tenant_discovery_endpoint"`
	}
	return json.Unmarshal(body, &is) == nil && is.Token+is.Tenant != ""
}

func (doc *document) answer(req *http.Request) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: doc.header.Clone(), Body: io.NopCloser(bytes.NewReader(doc.body)), ContentLength: int64(len(doc.body)), Request: req,
	}
}
