package msal

import (
	"cmp"
	"io"
	"net/http"
	"time"
)

// RetryOptions bounds what [Retry] does. The zero value is what MSAL Python's
// documentation proposes: three more attempts, after 1, 2 and 4 s.
type RetryOptions struct {
	// Attempts is how often a request is sent again; 0 means 3, less than 0
	// never.
	Attempts int
	// Backoff is the first pause where the server names none, and doubles from
	// attempt to attempt; 0 means 1 s.
	Backoff time.Duration
	// MaxWait is the longest pause; 0 means 30 s. A server that asks for more
	// is not asked again: its answer is returned, with its Retry-After.
	MaxWait time.Duration
	// Unsafe sends also those requests again after a 5xx answer that may have
	// been carried out, such as a POST. Token requests are of that kind:
	// repeating them is safe, except where a refresh token or a code can be
	// used once and was.
	Unsafe bool
}

// Retry returns a RoundTripper that sends requests through base, and again
// where the server is too busy: after 429 Too Many Requests, which says that
// nothing was done (RFC 6585 §4), and after 500, 502, 503 and 504 where the
// method is idempotent (RFC 9110 §9.2.2) or an Idempotency-Key is there. It
// waits for as long as Retry-After says. A request whose body can't be had again
// (no GetBody) is sent once, and network errors are returned as they come. The
// answer to the last attempt is returned whatever it is, with its body.
//
// Nil base is http.DefaultTransport, and nil options are the zero value. The
// wait ends with the request's context, whose error is returned. The result is
// safe for concurrent use as far as base is. It suits MSAL's clients as well:
// pass &http.Client{Transport: msal.Retry(nil, nil)} to WithHTTPClient. MSAL
// gives each request 30 s where the caller's context sets no time.
func Retry(base http.RoundTripper, o *RetryOptions) http.RoundTripper {
	r := &retrier{base: base}
	if base == nil {
		r.base = http.DefaultTransport
	}
	if o != nil {
		r.RetryOptions = *o
	}
	r.Attempts = max(cmp.Or(r.Attempts, 3), 0)
	r.Backoff = max(cmp.Or(r.Backoff, time.Second), 0)
	r.MaxWait = max(cmp.Or(r.MaxWait, 30*time.Second), 0)
	return r
}

type retrier struct {
	RetryOptions

	base http.RoundTripper
}

// CloseIdleConnections is what http.Client calls.
func (r *retrier) CloseIdleConnections() { closeIdle(r.base) }

func closeIdle(base http.RoundTripper) {
	if c, ok := base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip sends the request, and again as long as it should.
func (r *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	t := &tries{retrier: r, req: req}
	defer t.close()
	return t.do()
}

// replayable tells whether the request's body can be had once more.
func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// replay copies a replayable request, with its body from the start.
func replay(req *http.Request) (*http.Request, error) {
	next := req.Clone(req.Context())
	body, err := bodyAgain(req)
	next.Body = body
	return next, err
}

func bodyAgain(req *http.Request) (io.ReadCloser, error) {
	if req.GetBody == nil {
		return req.Body, nil
	}
	return req.GetBody()
}

// discard reads what is left of an answer, so that its connection can be used
// again, unless it is long.
func discard(resp *http.Response) {
	if resp.Body == nil {
		return
	}
	// The next answer is what counts; an error here closes the connection.
	_, _ = io.CopyN(io.Discard, resp.Body, maxBody)
	_ = resp.Body.Close()
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // it was never read
	}
}
