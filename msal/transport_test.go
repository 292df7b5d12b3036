package msal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// policed is an API that wants claims in each token from a certain time on: the
// first token that it sees is too old.
func policed(t *testing.T) (*httptest.Server, *[]string) {
	t.Helper()
	var seen []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		if seen[len(seen)-1] == seen[0] {
			w.Header().Set("WWW-Authenticate", `Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7InZhbHVlIjoiMSJ9fX0="`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(api.Close)
	return api, &seen
}

// TestAPIClient has an API revoke a token (continuous access evaluation).
func TestAPIClient(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world, client silent, o *msal.SilentOptions) {
		t.Run("S18 the API asks for claims", func(t *testing.T) {
			api, seen := policed(t)
			cached := silently(t, client, o).AccessToken
			c, err := msal.APIClient(client, o.Account, scopes, api.URL)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Post(api.URL+"/orders", "text/plain", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK || len(*seen) != 2 || (*seen)[0] != "Bearer "+cached || (*seen)[1] == (*seen)[0] {
				t.Errorf("%s, after %d requests", resp.Status, len(*seen))
			}
			if got := w.last(msaltest.KindTokenRefresh).Form.Get("claims"); got != `{"access_token":{"nbf":{"value":"1"}}}` {
				t.Errorf("the provider was asked for %q", got)
			}
		})
		t.Run("S18 a person has to sign in", func(t *testing.T) {
			api, seen := policed(t)
			c, err := msal.APIClient(client, o.Account, scopes, api.URL)
			if err != nil {
				t.Fatal(err)
			}
			w.srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Status: 400, Code: "interaction_required", Claims: `{"access_token":{"c":1}}`})
			_, err = c.Get(api.URL)
			refused, ok := errors.AsType[*msal.Error](err)
			if !errors.Is(err, msal.ErrInteractionRequired) || !ok || refused.Claims == "" || len(*seen) != 1 {
				t.Errorf("%v, after %d requests", err, len(*seen))
			}
		})
		t.Run("S18 signed out", func(t *testing.T) {
			stranger := *o.Account
			stranger.HomeAccountID = "nobody.nowhere"
			c, err := msal.APIClient(client, &stranger, scopes, graph)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Get(graph); !errors.Is(err, msal.ErrNoToken) {
				t.Error(err)
			}
		})
	})
}

// TestAPIClientWaits: a busy API is asked again.
func TestAPIClientWaits(t *testing.T) {
	t.Parallel()
	t.Run("S18 a busy API", func(t *testing.T) {
		requests := 0
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if requests++; requests == 1 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		}))
		defer api.Close()
		client := msal.SilentFunc(func(context.Context, []string, *msal.SilentOptions) (msal.Result, error) {
			return issued("t", time.Now().Add(time.Hour)), nil
		})
		c, err := msal.APIClient(client, nil, scopes, api.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Get(api.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || requests != 2 {
			t.Errorf("%s, after %d requests", resp.Status, requests)
		}
	})
}

// TestAuthorizeAboveRetry: what is sent again has the same token, and after a
// challenge the new one, with a new count of attempts.
func TestAuthorizeAboveRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &line{answers: []*http.Response{says(503, "2"), says(429, "3"), challenged(), says(429, "1"), says(200, "")}}
		var asked []string
		client := msal.SilentFunc(func(_ context.Context, _ []string, o *msal.SilentOptions) (msal.Result, error) {
			asked = append(asked, o.Claims)
			return issued(fmt.Sprint("t", len(asked)), time.Now().Add(time.Hour)), nil
		})
		rt, err := msal.Authorize(msal.Retry(l, &msal.RetryOptions{Attempts: 2}), msal.SilentTokens(client, scopes, nil), graph)
		if err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, graph, strings.NewReader(" body"))
		resp, err := rt.RoundTrip(req)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v, %v", resp, err)
		}
		if want := []string{"Bearer t1 body", "Bearer t1 body", "Bearer t1 body", "Bearer t2 body", "Bearer t2 body"}; !slices.Equal(l.sent, want) {
			t.Errorf("sent %q", l.sent)
		}
		if want := []time.Duration{0, 2 * time.Second, 5 * time.Second, 5 * time.Second, 6 * time.Second}; !slices.Equal(l.at, want) || l.open != 1 {
			t.Errorf("sent at %v; %d bodies are open", l.at, l.open)
		}
		if !slices.Equal(asked, []string{"", `{"nbf":1}`}) {
			t.Errorf("asked for %q", asked)
		}
	})
}

// TestAuthorizeLongRefusal: who refuses can send as much as they like.
func TestAuthorizeLongRefusal(t *testing.T) {
	t.Parallel()
	long := &bottomless{}
	network := roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.Header.Get("Authorization") == "Bearer first" {
			r := challenged()
			r.Body = long
			return r, nil
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	rt, err := msal.Authorize(network, tokens, graph)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, graph, http.NoBody)
	if resp, err := rt.RoundTrip(req); err != nil || resp.StatusCode != 200 || !long.closed || long.read > 1<<20 {
		t.Errorf("%v; %d bytes were read; closed: %v", err, long.read, long.closed)
	}
}

func TestSilentTokensKeepsItsOptions(t *testing.T) {
	t.Parallel()
	var got []msal.SilentOptions
	client := msal.SilentFunc(func(_ context.Context, _ []string, o *msal.SilentOptions) (msal.Result, error) {
		got = append(got, *o)
		return issued("t", time.Now()), nil
	})
	o := &msal.SilentOptions{TenantID: "fabrikam", Claims: "own", Scheme: pop(t, nil)}
	token := msal.SilentTokens(client, scopes, o)
	for _, claims := range []string{"", "asked", ""} {
		if text, err := token(t.Context(), claims); err != nil || text != "t" {
			t.Errorf("%q, %v", text, err)
		}
	}
	var claims []string
	for _, o := range got {
		claims = append(claims, o.Claims)
		if o.TenantID != "fabrikam" || o.Scheme != nil {
			t.Errorf("%+v", o)
		}
	}
	if !slices.Equal(claims, []string{"own", "asked", "own"}) || o.Claims != "own" {
		t.Errorf("asked for %q", claims)
	}
	if _, err := msal.APIClient(client, nil, scopes, "ftp://x"); !errors.Is(err, msal.ErrOrigin) {
		t.Error(err)
	}
}

// An API is called with the tokens of the cache, renewed when they have to be.
func ExampleAPIClient() {
	entra := msaltest.New(nil)
	defer entra.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		fmt.Fprint(w, kind, " ", token != "")
	}))
	defer api.Close()
	secret, err := msal.Secret("the application's")
	if err != nil {
		fmt.Println(err)
		return
	}
	app, err := msal.NewConfidential("app", secret, &msal.Options{Authority: entra.Authority(), HTTPClient: entra.Client(), DisableInstanceDiscovery: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	// For a person: msal.APIClient(client, &account, scopes, "https://graph.microsoft.com")
	client, err := msal.APIClient(msal.OwnTokens(app), nil, []string{"https://graph.microsoft.com/.default"}, api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	var kind string
	var sent bool
	if _, err := fmt.Fscan(resp.Body, &kind, &sent); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.StatusCode, kind, sent)
	// Output: 200 Bearer true
}
