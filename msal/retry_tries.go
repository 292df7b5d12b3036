package msal

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// tries is one request, and how often it was sent. The loop and the waiting are
// retryablehttp's; what is decided by its hooks differs from its defaults, which
// repeat a POST that may have been carried out, every network error, and a
// request whose server asked for more time than anybody has.
//
// Each request has a retryablehttp.Client of its own, since its hooks aren't
// told the request. Its own RoundTripper isn't used: it reads a whole body into
// memory and leaves it open.
type tries struct {
	*retrier

	req     *http.Request
	sent    int
	wait    time.Duration
	body    io.ReadCloser // for the next attempt
	header  http.Header   // of the last answer, as it came
	failure error         // of the network
}

func (t *tries) do() (*http.Response, error) {
	client := &retryablehttp.Client{
		// A client that only sends: the one above follows redirects, and closes
		// idle connections, if somebody wants that.
		HTTPClient:   &http.Client{Transport: sender{t}},
		RetryMax:     t.Attempts,
		CheckRetry:   t.again,
		Backoff:      func(time.Duration, time.Duration, int, *http.Response) time.Duration { return t.wait },
		PrepareRetry: t.rewind,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	resp, err := client.Do(&retryablehttp.Request{Request: t.req})
	if t.failure != nil {
		return nil, t.failure // without what http.Client wraps around it
	}
	if err != nil {
		return nil, err
	}
	resp.Header = t.header
	return resp, nil
}

// sender is what retryablehttp's http.Client sends through.
type sender struct{ *tries }

// RoundTrip hides where an answer leads: http.Client would look at it, even if
// it must not follow, and refuse an answer whose Location isn't a URL.
func (s sender) RoundTrip(req *http.Request) (*http.Response, error) {
	s.sent++
	resp, err := s.base.RoundTrip(req)
	if s.failure = err; err != nil {
		return nil, err
	}
	s.header = resp.Header
	resp.Header = resp.Header.Clone()
	resp.Header.Del("Location")
	return resp, nil
}

// again is retryablehttp's CheckRetry: whether to send the request again, and
// when. The body is fetched here, since where it can't be had the answer is
// worth more than the reason, and a later hook would come after its end.
func (t *tries) again(_ context.Context, resp *http.Response, err error) (bool, error) {
	if err != nil || t.sent > t.Attempts || !replayable(t.req) || !t.worthIt(resp.StatusCode) {
		return false, nil
	}
	var asked bool
	if t.wait, asked = retryAfter(resp.Header, time.Now()); asked && t.wait > t.MaxWait {
		return false, nil
	}
	if !asked {
		t.wait = t.pause()
	}
	t.body, err = bodyAgain(t.req)
	return err == nil, nil
}

// pause is how long to wait where the server doesn't say.
func (t *tries) pause() time.Duration {
	wait := t.Backoff << min(t.sent-1, 16)
	if wait < t.Backoff {
		return t.MaxWait // so long that it has no number
	}
	return min(wait, t.MaxWait)
}

func (t *tries) worthIt(status int) bool {
	switch status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return t.Unsafe || idempotent(t.req)
	}
	return false
}

func idempotent(req *http.Request) bool {
	methods := []string{"", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete}
	return slices.Contains(methods, req.Method) || req.Header.Get("Idempotency-Key") != ""
}

// rewind is retryablehttp's PrepareRetry.
func (t *tries) rewind(next *http.Request) error {
	next.Header = next.Header.Clone() // the last attempt may still be writing its own
	next.Body, t.body = t.body, nil
	return nil
}

// close ends a body that was fetched for an attempt that didn't come.
func (t *tries) close() {
	if t.body != nil {
		_ = t.body.Close() // it was never read
	}
}
