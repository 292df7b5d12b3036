package msal_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/msal"
)

// TestRetryPassesRedirects: where an answer leads is for the client above, and
// nothing is opened or followed for it here.
func TestRetryPassesRedirects(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]string{"elsewhere": "https://evil.example/", "nowhere": "http://[::1", "none": ""} {
		t.Run("S14 "+name, func(t *testing.T) {
			t.Parallel()
			answer := says(http.StatusTemporaryRedirect, "")
			if location != "" {
				answer.Header.Set("Location", location)
			}
			l := &line{answers: []*http.Response{answer}}
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example/", strings.NewReader("body"))
			again := 0
			req.GetBody = func() (io.ReadCloser, error) { again++; return http.NoBody, nil }
			resp, err := msal.Retry(l, nil).RoundTrip(req)
			if err != nil || resp.StatusCode != 307 || resp.Header.Get("Location") != location || len(l.sent) != 1 || l.open != 1 || again != 0 {
				t.Errorf("%v, %v, sent %d times, %d open, body fetched %d times", resp, err, len(l.sent), l.open, again)
			}
			if got := answer.Header.Get("Location"); got != location {
				t.Errorf("the answer's own header now leads to %q", got)
			}
		})
	}
}

// bottomless is a body that nobody has the memory for, and who reads it all hangs.
type bottomless struct {
	read   int
	closed bool
}

func (e *bottomless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func (e *bottomless) Close() error {
	e.closed = true
	return nil
}

// TestRetryStreams: a body is sent as it comes, and one that was asked again is
// read no further than it must.
func TestRetryStreams(t *testing.T) {
	t.Parallel()
	up, down := &bottomless{}, &bottomless{}
	network := roundTrip(func(req *http.Request) (*http.Response, error) {
		_, _ = io.CopyN(io.Discard, req.Body, 10)
		req.Body.Close()
		return &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"0"}}, Body: down}, nil
	})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://api.example/", up)
	if resp, err := msal.Retry(network, nil).RoundTrip(req); err != nil || resp.Body != io.ReadCloser(down) || down.read != 0 {
		t.Errorf("%v; %d bytes of the answer were read", err, down.read)
	}
	if up.read > 1<<20 || !up.closed {
		t.Errorf("%d bytes of the request were read; closed: %v", up.read, up.closed)
	}
	req, _ = http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example/", http.NoBody)
	resp, err := msal.Retry(network, &msal.RetryOptions{Attempts: 1}).RoundTrip(req)
	if err != nil || resp.StatusCode != 429 || down.read > 1<<20 || !down.closed {
		t.Errorf("%v; %d bytes of the answer were read; closed: %v", err, down.read, down.closed)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestRetryClosesWhatItFetched: a body for an attempt that never comes.
func TestRetryClosesWhatItFetched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodPut, "https://api.example/", strings.NewReader("body"))
		next := &bottomless{}
		req.GetBody = func() (io.ReadCloser, error) { return next, nil }
		if _, err := msal.Retry(&line{answers: []*http.Response{says(429, "20")}}, nil).RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if !next.closed || next.read != 0 {
			t.Errorf("closed: %v, read %d bytes", next.closed, next.read)
		}
	})
}

// TestRetryKeepsTheCallersRequest: its header stays as it was, also where the
// URL has a user, of which http.Client makes a header.
func TestRetryKeepsTheCallersRequest(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"https://api.example/", "https://user:pass@api.example/"} {
		l := &line{answers: []*http.Response{says(503, "0"), says(200, "")}}
		touch := roundTrip(func(req *http.Request) (*http.Response, error) {
			resp, err := l.RoundTrip(req)
			if len(l.sent) == 2 {
				req.Header.Set("X-Seen", "1") // what was sent again isn't the caller's any more
			}
			return resp, err
		})
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if _, err := msal.Retry(touch, nil).RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		if len(req.Header) != 0 {
			t.Errorf("%s: the caller's header is now %v", url, req.Header)
		}
	}
}

// TestRetryKeepsConnections: others use the same transport.
func TestRetryKeepsConnections(t *testing.T) {
	t.Parallel()
	addresses := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addresses[r.RemoteAddr] = true
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, strings.Repeat("busy ", 100))
	}))
	defer srv.Close()
	client := srv.Client()
	client.Transport = msal.Retry(client.Transport, nil)
	for range 2 {
		resp, err := client.Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
		resp.Body.Close()
	}
	if len(addresses) != 1 {
		t.Errorf("%d connections for 8 requests, one after the other", len(addresses))
	}
}
