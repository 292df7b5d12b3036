package msal_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

type acquirer interface {
	silent
	Acquire(context.Context, []string, *msal.SilentOptions, msal.InteractiveFunc) (msal.Result, error)
}

// asked counts the sign-ins that a person was asked for.
type asked struct{ claims []string }

func (a *asked) signIn(_ context.Context, claims string) (msal.Result, error) {
	a.claims = append(a.claims, claims)
	return msal.Result{TokenType: "of a person"}, nil
}

func TestAcquireFeatures(t *testing.T) {
	t.Parallel()
	const claims = `{"access_token":{"nbf":{"essential":true}}}`
	busy := msaltest.Failure{Status: http.StatusServiceUnavailable}
	for _, row := range []struct {
		name   string
		fail   []msaltest.Failure
		want   []string // the claims that a person was asked to prove
		failed error
		sent   int
	}{
		{"C20 the cache has a token", nil, nil, nil, 0},
		{"C20 a person has to consent", []msaltest.Failure{{Code: "invalid_grant", SubError: "consent_required"}}, []string{""}, nil, 1},
		{"C20 a person has to prove something", []msaltest.Failure{{Code: "interaction_required", Claims: claims}}, []string{claims}, nil, 1},
		{"S19 trouble that passes", []msaltest.Failure{busy, busy, {Code: "temporarily_unavailable"}}, nil, nil, 4},
		{"S19 trouble that stays", []msaltest.Failure{busy, busy, busy, busy}, nil, msal.ErrServerBusy, 4},
		{"S19 trouble, then a person", []msaltest.Failure{busy, {Code: "login_required"}}, []string{""}, nil, 2},
		{"S19 the client's own fault", []msaltest.Failure{{Code: "invalid_client"}}, nil, msal.ErrInvalidClient, 1},
		{"S19 a scope that isn't there", []msaltest.Failure{{Code: "invalid_scope"}}, nil, msal.ErrInvalidScope, 1},
		{"S19 longer than anybody waits", []msaltest.Failure{{Status: 503, RetryAfter: time.Hour}}, nil, msal.ErrServerBusy, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			both(t, func(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
				wanted := *o
				wanted.ForceRefresh = len(row.fail) > 0
				w.srv.Fail(msaltest.KindTokenRefresh, row.fail...)
				var person asked
				_, err := patient(t, w, c).Acquire(t.Context(), scopes, &wanted, person.signIn)
				if !errors.Is(err, row.failed) || row.failed == nil && err != nil {
					t.Errorf("%v, want %v", err, row.failed)
				}
				if n := w.srv.Count(msaltest.KindTokenRefresh); n != row.sent || !slices.Equal(person.claims, row.want) {
					t.Errorf("%d requests, and a person was asked for %q", n, person.claims)
				}
			})
		})
	}
}

// patient is a client of the same cache that tries again.
func patient(t *testing.T, w *world, c silent) acquirer {
	t.Helper()
	cache, _ := w.cache(nil)
	o := w.options(cache)
	o.Retry = &msal.RetryOptions{Backoff: time.Millisecond}
	if _, ok := c.(*msal.Public); ok {
		return w.public(o)
	}
	return w.web(o)
}

// TestAcquireOnce: 429 was repeated below already, and is not again.
func TestAcquireOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
		for range 10 {
			w.srv.Fail(msaltest.KindTokenRefresh, msaltest.Failure{Status: http.StatusTooManyRequests})
		}
		wanted := *o
		wanted.ForceRefresh = true
		_, err := patient(t, w, c).Acquire(t.Context(), scopes, &wanted, nil)
		if n := w.srv.Count(msaltest.KindTokenRefresh); n != 4 || !errors.Is(err, msal.ErrServerBusy) {
			t.Errorf("%d requests: %v", n, err)
		}
	})
}

func TestAcquireNobodyThere(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
		w.srv.Revoke(alice)
		wanted := *o
		wanted.ForceRefresh = true
		if _, err := c.(acquirer).Acquire(t.Context(), scopes, &wanted, nil); !errors.Is(err, msal.ErrInteractionRequired) {
			t.Errorf("%v", err)
		}
	})
}

// TestAcquirePauses: as long as the server says, else twice as long each time,
// and no longer than the caller lives.
func TestAcquirePauses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		after string // Retry-After
		life  time.Duration
		want  time.Duration
	}{
		"growing":         {"", time.Hour, 1 + 2 + 4},
		"asked for":       {"5", time.Hour, 5 + 5 + 5},
		"the caller goes": {"", 2 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), row.life)
				defer cancel()
				o := &msal.Options{DisableInstanceDiscovery: true, Authority: "https://fake.example/tenant", HTTPClient: busyNetwork(row.after)}
				secret, err := msal.Secret("secret")
				if err != nil {
					t.Fatal(err)
				}
				c, err := msal.NewConfidential("web", secret, o)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				_, err = c.Acquire(ctx, scopes, &msal.SilentOptions{ForceRefresh: true}, nil)
				if took := time.Since(began); took != row.want*time.Second || err == nil {
					t.Errorf("took %s: %v", took, err)
				}
			})
		})
	}
}

// busyNetwork knows where the token endpoint is, which has no time.
func busyNetwork(retryAfter string) network {
	return func(req *http.Request) (*http.Response, error) {
		resp := &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Header: http.Header{}, Request: req}
		if req.Method == http.MethodGet {
			const base = "https://fake.example/tenant"
			resp.StatusCode = http.StatusOK
			resp.Body = io.NopCloser(strings.NewReader(`{"issuer":"` + base + `/v2.0","authorization_endpoint":"` + base + `/a","token_endpoint":"` + base + `/t"}`))
			return resp, nil
		}
		if retryAfter != "" {
			resp.Header.Set("Retry-After", retryAfter)
		}
		return resp, nil
	}
}
