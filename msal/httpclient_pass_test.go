package msal_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/msalext/msalext/msal"
)

func TestHTTPClientPassesAnswersAsTheyAre(t *testing.T) {
	t.Parallel()
	huge := usedToken[:len(usedToken)-1] + `,"x":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, c := range []struct {
		name   string
		answer func() *http.Response
		body   string
	}{
		{"success", accepts, `{"access_token":"a"}`},
		{"another error", answer(400, ` {"error": "invalid_client"}`), ` {"error": "invalid_client"}`},
		{"success that speaks of invalid_grant", answer(200, usedToken), usedToken},
		{"the server's own", answer(503, usedToken), usedToken},
		{"not JSON", answer(400, "<p>invalid_grant"), "<p>invalid_grant"},
		{"more than an error", answer(400, usedToken+"{}"), usedToken + "{}"},
		{"a megabyte", answer(400, huge), huge},
		{"nothing", answer(400, ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.holds(refreshEntry("alice", "old", ""))
			cache, _ := w.cache(nil)
			s := &sender{answers: []func() *http.Response{c.answer}, before: func(int) { w.holds(refreshEntry("alice", "new", "")) }}
			resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(t.Context(), "old"))
			if err != nil || s.tokens() != "old" {
				t.Fatalf("sent %q, %v", s.tokens(), err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || string(body) != c.body || resp.Body.Close() != nil {
				t.Errorf("%d bytes, %v", len(body), err)
			}
		})
	}
}

func TestHTTPClientPassesABrokenAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	cache, _ := w.cache(nil)
	broken := errors.New("connection reset")
	closed := false
	s := &sender{answers: []func() *http.Response{func() *http.Response {
		return &http.Response{StatusCode: 400, Body: body{io.MultiReader(strings.NewReader(`{"err`), iotest.ErrReader(broken)), &closed}}
	}}}
	resp, err := msal.HTTPClient(cache, s).Do(refreshRequest(t.Context(), "old"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(resp.Body); string(text) != `{"err` || !errors.Is(err, broken) {
		t.Errorf("%q, %v", text, err)
	}
	if err := resp.Body.Close(); err != nil || !closed {
		t.Errorf("closed: %v, %v", closed, err)
	}
}

// body tells whether it was closed.
type body struct {
	io.Reader
	closed *bool
}

func (b body) Close() error { *b.closed = true; return nil }

// echo answers with what it was sent.
type echo struct{ requests int }

func (*echo) CloseIdleConnections() {}

func (e *echo) Do(req *http.Request) (*http.Response, error) {
	e.requests++
	if req.Body == nil {
		return refuses(), nil
	}
	return &http.Response{StatusCode: 400, Body: req.Body}, nil
}

func TestHTTPClientPassesOtherRequestsAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	cache, _ := w.cache(nil)
	for name, change := range map[string]func(*http.Request) string{
		"GET": func(r *http.Request) string { r.Method, r.Body = http.MethodGet, nil; return usedToken },
		"JSON": func(r *http.Request) string {
			r.Header.Set("Content-Type", "application/json")
			return "grant_type=refresh_token"
		},
		"another grant": func(*http.Request) string { return "grant_type=password&refresh_token=old" },
		"two tokens":    func(*http.Request) string { return "grant_type=refresh_token&refresh_token=old&refresh_token=x" },
		"no token":      func(*http.Request) string { return "grant_type=refresh_token" },
		"not a form":    func(*http.Request) string { return "grant_type=refresh_token&refresh_token=old&%zz" },
		"a megabyte": func(*http.Request) string {
			return "grant_type=refresh_token&refresh_token=old&x=" + strings.Repeat("x", 1<<20)
		},
		"no content type": func(r *http.Request) string { r.Header.Del("Content-Type"); return "grant_type=refresh_token" },
	} {
		e := &echo{}
		req := refreshRequest(t.Context(), "old")
		want := change(req)
		if req.Body != nil {
			req.Body = io.NopCloser(strings.NewReader(want))
		}
		resp, err := msal.HTTPClient(cache, e).Do(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := io.ReadAll(resp.Body); err != nil || string(got) != want || e.requests != 1 {
			t.Errorf("%s: %d bytes came back, %v, %d requests", name, len(got), err, e.requests)
		}
	}
}

func TestHTTPClientNeedsNoGetBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.holds(refreshEntry("alice", "old", ""))
	cache, _ := w.cache(nil)
	s := &sender{answers: []func() *http.Response{refuses, accepts}, before: func(int) { w.holds(refreshEntry("alice", "new", "")) }}
	req := refreshRequest(t.Context(), "old")
	req.GetBody = nil
	if resp, err := msal.HTTPClient(cache, s).Do(req); err != nil || resp.StatusCode != 200 || s.tokens() != "old new" {
		t.Errorf("sent %q, %v", s.tokens(), err)
	}
}
