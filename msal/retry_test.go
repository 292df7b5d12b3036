package msal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// line is a network: what it answers, and what was sent over it when.
type line struct {
	answers []*http.Response // the last one again and again
	err     error            // in place of the answer after the last
	sent    []string         // body, if there is one, and Authorization
	at      []time.Duration
	began   time.Time
	open    int // bodies of answers that nobody closed
}

type counted struct {
	io.Reader
	open *int
}

func (c *counted) Close() error {
	*c.open--
	return nil
}

func (l *line) RoundTrip(req *http.Request) (*http.Response, error) {
	if l.began.IsZero() {
		l.began = time.Now()
	}
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body.Close()
	}
	n := len(l.sent)
	l.sent = append(l.sent, req.Header.Get("Authorization")+string(body))
	l.at = append(l.at, time.Since(l.began))
	if n >= len(l.answers) && l.err != nil {
		return nil, l.err
	}
	answer := *l.answers[min(n, len(l.answers)-1)]
	l.open++
	answer.Body = &counted{strings.NewReader("busy"), &l.open}
	return &answer, nil
}

// says is an answer with a Retry-After, if there is one.
func says(status int, retryAfter string) *http.Response {
	h := http.Header{}
	if retryAfter != "" {
		h.Set("Retry-After", retryAfter)
	}
	return &http.Response{StatusCode: status, Header: h}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	seconds := func(all ...int) (list []time.Duration) {
		for _, s := range all {
			list = append(list, time.Duration(s)*time.Second)
		}
		return list
	}
	date := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(20 * time.Second).Format(http.TimeFormat) // synctest's clock begins in 2000
	for _, c := range []struct {
		name    string
		options *msal.RetryOptions
		method  string
		header  http.Header
		answers []*http.Response
		status  int
		at      []time.Duration
	}{
		{"success", nil, "GET", nil, []*http.Response{says(200, "9")}, 200, seconds(0)},
		{"busy for ever", nil, "GET", nil, []*http.Response{says(503, "")}, 503, seconds(0, 1, 3, 7)},
		{"busy once", nil, "GET", nil, []*http.Response{says(500, ""), says(204, "")}, 204, seconds(0, 1)},
		{"as long as it says", nil, "GET", nil, []*http.Response{says(429, "5"), says(502, "0"), says(200, "")}, 200, seconds(0, 5, 5)},
		{"until the date it says", nil, "GET", nil, []*http.Response{says(429, date), says(200, "")}, 200, seconds(0, 20)},
		{"a date in the past", nil, "GET", nil, []*http.Response{says(429, "Fri, 31 Dec 1999 00:00:00 GMT"), says(200, "")}, 200, seconds(0, 0)},
		{"longer than anybody waits", nil, "GET", nil, []*http.Response{says(429, "31")}, 429, seconds(0)},
		{"a number that no clock holds", nil, "GET", nil, []*http.Response{says(429, strings.Repeat("9", 40))}, 429, seconds(0)},
		{"less than nothing", nil, "GET", nil, []*http.Response{says(429, "-5"), says(200, "")}, 200, seconds(0, 1)},
		{"no number", nil, "GET", nil, []*http.Response{says(429, "soon"), says(200, "")}, 200, seconds(0, 1)},
		{"other errors", nil, "GET", nil, []*http.Response{says(501, "1")}, 501, seconds(0)},
		{"unauthorized", nil, "GET", nil, []*http.Response{says(401, "1")}, 401, seconds(0)},
		{"throttled POST", nil, "POST", nil, []*http.Response{says(429, ""), says(200, "")}, 200, seconds(0, 1)},
		{"POST that may have been carried out", nil, "POST", nil, []*http.Response{says(503, "1")}, 503, seconds(0)},
		{"POST with a key", nil, "POST", http.Header{"Idempotency-Key": {"k"}}, []*http.Response{says(503, "1"), says(200, "")}, 200, seconds(0, 1)},
		{"POST by choice", &msal.RetryOptions{Unsafe: true}, "POST", nil, []*http.Response{says(503, "1"), says(200, "")}, 200, seconds(0, 1)},
		{"PUT", nil, "PUT", nil, []*http.Response{says(503, ""), says(200, "")}, 200, seconds(0, 1)},
		{"never", &msal.RetryOptions{Attempts: -1}, "GET", nil, []*http.Response{says(503, "")}, 503, seconds(0)},
		{"bounded pauses", &msal.RetryOptions{Attempts: 4, Backoff: 2 * time.Second, MaxWait: 5 * time.Second}, "GET", nil, []*http.Response{says(503, "")}, 503, seconds(0, 2, 6, 11, 16)},
		{"a huge back-off", &msal.RetryOptions{Attempts: 1, Backoff: 1 << 62}, "GET", nil, []*http.Response{says(503, "")}, 503, seconds(0, 30)},
	} {
		t.Run("S14 "+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &line{answers: c.answers}
				req, err := http.NewRequestWithContext(t.Context(), c.method, "https://api.example/", strings.NewReader("body"))
				if err != nil {
					t.Fatal(err)
				}
				if c.header != nil {
					req.Header = c.header
				}
				resp, err := msal.Retry(l, c.options).RoundTrip(req)
				if err != nil || resp.StatusCode != c.status {
					t.Fatalf("%v, %v", resp, err)
				}
				if text, err := io.ReadAll(resp.Body); string(text) != "busy" || err != nil {
					t.Errorf("read %q, %v", text, err)
				}
				resp.Body.Close()
				if !slices.Equal(l.at, c.at) || l.open != 0 {
					t.Errorf("sent at %v, want %v; %d bodies are open", l.at, c.at, l.open)
				}
				if slices.ContainsFunc(l.sent, func(s string) bool { return s != "body" }) {
					t.Errorf("sent %q", l.sent)
				}
			})
		})
	}
}

func TestRetryEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		l := &line{answers: []*http.Response{says(429, "30")}}
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example/", http.NoBody)
		resp, err := msal.Retry(l, nil).RoundTrip(req)
		if resp != nil || !errors.Is(err, context.DeadlineExceeded) || time.Since(l.began) != 3*time.Second || l.open != 0 {
			t.Errorf("%v, %v after %s, %d open", resp, err, time.Since(l.began), l.open)
		}
	})
}

func TestRetryLeavesWhatCantBeSentAgain(t *testing.T) {
	t.Parallel()
	for name, get := range map[string]func() (io.ReadCloser, error){
		"no GetBody":    nil,
		"GetBody fails": func() (io.ReadCloser, error) { return nil, errors.New("gone") },
	} {
		l := &line{answers: []*http.Response{says(429, "0")}}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://api.example/", io.NopCloser(strings.NewReader("body")))
		req.GetBody = get
		resp, err := msal.Retry(l, nil).RoundTrip(req)
		if err != nil || resp.StatusCode != 429 || len(l.sent) != 1 || l.open != 1 {
			t.Errorf("%s: %v, %v, sent %q", name, resp, err, l.sent)
		}
	}
	broken := errors.New("connection reset")
	l := &line{err: broken}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example/", http.NoBody)
	if _, err := msal.Retry(l, nil).RoundTrip(req); err != broken || len(l.sent) != 1 {
		t.Errorf("%v, sent %d times", err, len(l.sent))
	}
	l = &line{answers: []*http.Response{says(429, "0")}, err: broken}
	if _, err := msal.Retry(l, nil).RoundTrip(req); err != broken || len(l.sent) != 2 || l.open != 0 {
		t.Errorf("%v, sent %d times, %d open", err, len(l.sent), l.open)
	}
}

// TestRetryForMSAL puts it below MSAL's own client.
func TestRetryForMSAL(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options *msal.RetryOptions
		want    bool
	}{
		"asked for":     {&msal.RetryOptions{Unsafe: true, Backoff: time.Millisecond}, true},
		"not asked for": {nil, false},
	} {
		t.Run("S14 MSAL's requests, "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.srv.Fail(msaltest.KindToken, msaltest.Failure{Status: 503}, msaltest.Failure{Status: 500})
			network := &http.Client{Transport: msal.Retry(w.srv.Client().Transport, c.options)}
			client, err := public.New("app", public.WithAuthority(w.srv.Authority()), public.WithHTTPClient(network), public.WithInstanceDiscovery(false))
			if err != nil {
				t.Fatal(err)
			}
			_, err = byPassword(t.Context(), client, alice)
			if (err == nil) != c.want || !c.want && !errors.Is(msal.FromMSAL(err), msal.ErrServerBusy) {
				t.Error(err)
			}
		})
	}
}

func ExampleRetry() {
	tries := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries < 3 {
			w.Header().Set("Retry-After", strconv.Itoa(0))
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer srv.Close()
	client := &http.Client{Transport: msal.Retry(nil, nil)}
	resp, err := client.Get(srv.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status, tries)
	// Output: 200 OK 3
}
