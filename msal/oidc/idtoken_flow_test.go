package oidc_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
	"github.com/msalext/msalext/msal/oidc"
)

// TestAuthorities verifies what the fake's other authorities issue, before and
// after its keys are exchanged.
func TestAuthorities(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"common", "organizations", "11111111-2222-3333-4444-555555555555", "fabrikam.example"} {
		t.Run("S8 "+name, func(t *testing.T) {
			t.Parallel()
			srv := msaltest.New(&msaltest.Options{Tenant: name})
			t.Cleanup(srv.Close)
			v, err := oidc.New(oidc.Options{Authority: srv.Authority(), ClientID: "app", HTTPClient: srv.Client()})
			if err != nil {
				t.Fatal(err)
			}
			w := &world{t, srv, srv.Client(), v}
			for range 2 {
				flow := w.begin(w.public(), "id_token", nil)
				if got, err := flow.CompleteIDToken(t.Context(), v, w.follow(flow, alice)); err != nil || got.Text("preferred_username") != alice {
					t.Errorf("%v, %v", got, err)
				}
				if err := srv.RotateKeys(false); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestIDTokenFlow brings who signed in, and nothing else.
func TestIDTokenFlow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		maxAge *int
		change func(w *world, answer, other url.Values)
		want   error
	}{
		{"right", nil, nil, nil},
		{"signed in just now", new(0), nil, nil},
		{"signed in long ago", new(60), func(w *world, a, _ url.Values) {
			a.Set("id_token", w.signed(a, map[string]any{"auth_time": 1000}))
		}, msal.ErrIDTokenAge},
		{"another sign-in's", nil, func(_ *world, a, o url.Values) { a.Set("id_token", o.Get("id_token")) }, msal.ErrIDTokenNonce},
		{"another state", nil, func(_ *world, a, o url.Values) { a.Set("state", o.Get("state")) }, msal.ErrState},
		{"an unsigned one", nil, func(_ *world, a, _ url.Values) { a.Set("id_token", unsigned(a.Get("id_token"))) }, msal.ErrIDTokenSignature},
		{"none", nil, func(_ *world, a, _ url.Values) { a.Del("id_token") }, msal.ErrAnswer},
		{"refused", nil, func(_ *world, a, _ url.Values) { a.Set("error", "access_denied") }, msal.ErrAccessDenied},
	} {
		t.Run("A32 id_token, "+c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			client := w.public()
			flow, another := w.begin(client, "id_token", c.maxAge), w.begin(client, "id_token", nil)
			answer, other := w.follow(flow, alice), w.follow(another, bob)
			if c.change != nil {
				c.change(w, answer, other)
			}
			got, err := flow.CompleteIDToken(t.Context(), w.verifier, answer)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || (got != nil) != (c.want == nil) {
				t.Fatalf("%v, %v; want %v", got, err, c.want)
			}
			if got != nil && got.Text("preferred_username") != alice {
				t.Errorf("it is %q", got.Text("preferred_username"))
			}
			if n := w.srv.Count(msaltest.KindToken); n != 0 || strings.Contains(flow.AuthURI, "code_challenge") {
				t.Errorf("%d requests for tokens; %s", n, flow.AuthURI)
			}
		})
	}
}
