package msal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal"
)

const graph = "https://graph.example"

// challenged is a refusal that asks for claims.
func challenged() *http.Response {
	r := says(401, "")
	r.Header.Set("WWW-Authenticate", `Bearer realm="", error="insufficient_claims", claims="eyJuYmYiOjF9"`)
	return r
}

// tokens gives "first", and where claims are asked for "with" and these.
func tokens(_ context.Context, claims string) (string, error) {
	if claims != "" {
		return "with" + claims, nil
	}
	return "first", nil
}

func authorize(t *testing.T, l *line, token msal.TokenFunc, origins ...string) http.RoundTripper {
	t.Helper()
	rt, err := msal.Authorize(l, token, origins...)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	ok, plain401 := says(200, ""), says(401, "")
	broken := says(401, "")
	broken.Header.Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="{"`)
	for _, c := range []struct {
		name    string
		url     string
		header  http.Header
		answers []*http.Response
		status  int
		sent    []string
	}{
		{"a token", graph + "/me", nil, []*http.Response{ok}, 200, []string{"Bearer first"}},
		{"the port by its number", graph + ":443/me", nil, []*http.Response{ok}, 200, []string{"Bearer first"}},
		{"other letter case", "https://GRAPH.example/me", nil, []*http.Response{ok}, 200, []string{"Bearer first"}},
		{"asked for claims", graph, nil, []*http.Response{challenged(), ok}, 200, []string{"Bearer first", `Bearer with{"nbf":1}`}},
		{"asked again and again", graph, nil, []*http.Response{challenged()}, 401, []string{"Bearer first", `Bearer with{"nbf":1}`}},
		{"refused", graph, nil, []*http.Response{plain401}, 401, []string{"Bearer first"}},
		{"a challenge nobody can read", graph, nil, []*http.Response{broken}, 401, []string{"Bearer first"}},
		{"elsewhere", "https://evil.example/", nil, []*http.Response{challenged()}, 401, []string{""}},
		{"a host that begins alike", graph + ".evil.example/", nil, []*http.Response{ok}, 200, []string{""}},
		{"a host in the user's place", "https://graph.example@evil.example/", nil, []*http.Response{ok}, 200, []string{""}},
		{"another port", graph + ":8443/", nil, []*http.Response{ok}, 200, []string{""}},
		{"without TLS", "http://graph.example/", nil, []*http.Response{ok}, 200, []string{""}},
		{"the caller's own", graph, http.Header{"Authorization": {"Basic x"}}, []*http.Response{challenged()}, 401, []string{"Basic x"}},
	} {
		t.Run("S18 "+c.name, func(t *testing.T) {
			t.Parallel()
			l := &line{answers: c.answers}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if c.header != nil {
				req.Header = c.header.Clone()
			}
			resp, err := authorize(t, l, tokens, graph+"/").RoundTrip(req)
			if err != nil || resp.StatusCode != c.status || !slices.Equal(l.sent, c.sent) || l.open != 1 {
				t.Errorf("%v, %v, sent %q, %d open", resp, err, l.sent, l.open)
			}
			if got := req.Header.Get("Authorization"); got != c.header.Get("Authorization") {
				t.Errorf("changed the caller's request: %q", got)
			}
		})
	}
}

func TestAuthorizeBodies(t *testing.T) {
	t.Parallel()
	l := &line{answers: []*http.Response{challenged(), says(200, "")}}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, graph, strings.NewReader(" body"))
	if resp, err := authorize(t, l, tokens, graph).RoundTrip(req); err != nil || resp.StatusCode != 200 || l.sent[1] != `Bearer with{"nbf":1} body` {
		t.Errorf("%v, %v, sent %q", resp, err, l.sent)
	}
	l = &line{answers: []*http.Response{challenged()}}
	req, _ = http.NewRequestWithContext(t.Context(), http.MethodPost, graph, io.NopCloser(strings.NewReader("once")))
	if resp, err := authorize(t, l, tokens, graph).RoundTrip(req); err != nil || resp.StatusCode != 401 || len(l.sent) != 1 {
		t.Errorf("%v, %v, sent %q", resp, err, l.sent)
	}
}

func TestAuthorizeWithoutToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		token  msal.TokenFunc
		fails  bool
		status int
		sent   int
	}{
		"none": {func(context.Context, string) (string, error) { return "", &msal.Error{Code: "interaction_required"} }, true, 0, 0},
		"none with the claims": {func(_ context.Context, claims string) (string, error) {
			if claims != "" {
				return "", &msal.Error{Code: "interaction_required"}
			}
			return "t", nil
		}, true, 0, 1},
		"nobody signed in":      {func(context.Context, string) (string, error) { return "", nil }, false, 401, 1},
		"one that no field has": {func(context.Context, string) (string, error) { return "a\r\nX-Evil: 1", nil }, false, 401, 2},
	} {
		t.Run("S18 "+name, func(t *testing.T) {
			t.Parallel()
			l := &line{answers: []*http.Response{challenged()}}
			body := &counted{strings.NewReader(""), new(1)}
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, graph, body)
			req.GetBody = func() (io.ReadCloser, error) { return http.NoBody, nil }
			resp, err := authorize(t, l, c.token, graph).RoundTrip(req)
			if errors.Is(err, msal.ErrInteractionRequired) != c.fails || len(l.sent) != c.sent || *body.open != 0 {
				t.Errorf("%v, sent %q, %d open", err, l.sent, *body.open)
			}
			if c.fails && l.open != 0 || !c.fails && resp.StatusCode != c.status {
				t.Errorf("%v, %d open", resp, l.open)
			}
		})
	}
}

// TestAuthorizeNoForgedFields: a token comes from elsewhere, too.
func TestAuthorizeNoForgedFields(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("was sent") }))
	defer srv.Close()
	rt, err := msal.Authorize(nil, func(context.Context, string) (string, error) { return "secret\r\nX-Evil: 1", nil }, srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&http.Client{Transport: rt}).Get(srv.URL); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// TestAuthorizeAfterRedirect: http.Client takes Authorization out when it
// follows a redirect elsewhere, and nobody may put it in again.
func TestAuthorizeAfterRedirect(t *testing.T) {
	t.Parallel()
	var got []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Authorization")) }))
	defer elsewhere.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer api.Close()
	rt, err := msal.Authorize(nil, tokens, api.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: rt}).Get(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !slices.Equal(got, []string{"Bearer first", ""}) {
		t.Errorf("sent %q", got)
	}
}

func TestAuthorizeRefusesOrigins(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{
		"", "graph.example", "http://graph.example", "https://", "https://user:hunter2@graph.example", graph + "/v1.0", graph + "?x", "ftp://x",
		"http://127.0.0.1.evil.example", "http://localhost", "https://a b",
	} {
		if _, err := msal.Authorize(nil, tokens, graph, origin); !errors.Is(err, msal.ErrOrigin) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", origin, err)
		}
	}
	if _, err := msal.Authorize(nil, tokens); !errors.Is(err, msal.ErrOrigin) {
		t.Errorf("no origin: %v", err)
	}
	if _, err := msal.Authorize(nil, nil, graph); !errors.Is(err, msal.ErrOrigin) {
		t.Errorf("no function: %v", err)
	}
	if _, err := msal.Authorize(nil, tokens, "http://127.0.0.1:80", "http://[::1]:80"); err != nil {
		t.Error(err)
	}
}

// An API that has a policy changed asks for a new token.
func ExampleAuthorize() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer old" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer api.Close()
	rt, err := msal.Authorize(msal.Retry(nil, nil), func(_ context.Context, claims string) (string, error) {
		if claims == "" {
			return "old", nil // AcquireTokenSilent
		}
		fmt.Println("asked for", claims)
		return "new", nil // AcquireTokenSilent with msal's WithClaims(claims)
	}, api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := (&http.Client{Transport: rt}).Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// asked for {"access_token":{}}
	// 200 OK
}
