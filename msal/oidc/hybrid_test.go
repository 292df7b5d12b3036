package oidc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

func TestHybridFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for kind, c := range w.clients() {
		for _, responseType := range []string{"code id_token", "code"} {
			t.Run("A32 "+responseType+", "+kind, func(t *testing.T) {
				t.Parallel()
				flow := w.begin(c, responseType, new(3600))
				answer := w.follow(flow, alice)
				if answer.Has("id_token") != (responseType != "code") {
					t.Errorf("the browser brings %v", answer)
				}
				r, err := c.CompleteAuthCodeVerified(t.Context(), flow, w.verifier, answer, nil)
				if err != nil || r.Account.PreferredUsername != alice || r.AccessToken == "" {
					t.Errorf("%v, %v", r, err)
				}
			})
		}
	}
}

// TestHybridFlowRefuses has an answer that the person's browser was made to
// bring. None of it may be redeemed.
func TestHybridFlowRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(w *world, answer, other url.Values)
		want   error
	}{
		{"no ID token", func(_ *world, a, _ url.Values) { a.Del("id_token") }, msal.ErrAnswer},
		{"two ID tokens", func(_ *world, a, o url.Values) { a.Add("id_token", o.Get("id_token")) }, msal.ErrAnswer},
		{"no code", func(_ *world, a, _ url.Values) { a.Del("code") }, msal.ErrAnswer},
		{"another sign-in's code", func(_ *world, a, o url.Values) { a.Set("code", o.Get("code")) }, msal.ErrIDTokenCode},
		{"another sign-in's ID token", func(_ *world, a, o url.Values) { a.Set("id_token", o.Get("id_token")) }, msal.ErrIDTokenNonce},
		{"another sign-in's, both", func(_ *world, a, o url.Values) {
			a.Set("id_token", o.Get("id_token"))
			a.Set("code", o.Get("code"))
		}, msal.ErrIDTokenNonce},
		{"another sign-in", func(_ *world, a, o url.Values) { a.Set("state", o.Get("state")) }, msal.ErrState},
		{"a token for no code", func(w *world, a, _ url.Values) { a.Set("id_token", w.signed(a, map[string]any{"c_hash": nil})) }, msal.ErrIDTokenCode},
		{"a code that is a number", func(w *world, a, _ url.Values) { a.Set("id_token", w.signed(a, map[string]any{"c_hash": 1})) }, msal.ErrIDTokenCode},
		{"another application's", func(w *world, a, _ url.Values) { a.Set("id_token", w.signed(a, map[string]any{"aud": "other"})) }, msal.ErrIDTokenAudience},
		{"another issuer's", func(w *world, a, _ url.Values) { a.Set("id_token", w.signed(a, map[string]any{"iss": host})) }, msal.ErrIDTokenIssuer},
		{"an old one", func(w *world, a, _ url.Values) { a.Set("id_token", w.signed(a, map[string]any{"exp": 1000})) }, msal.ErrIDTokenTime},
		{"a forged one", func(w *world, a, _ url.Values) { a.Set("id_token", token(w, "k-0", 0, nil)) }, msal.ErrIDTokenSignature},
		{"an unsigned one", func(_ *world, a, _ url.Values) { a.Set("id_token", unsigned(a.Get("id_token"))) }, msal.ErrIDTokenSignature},
		{"no token at all", func(_ *world, a, _ url.Values) { a.Set("id_token", "x") }, msal.ErrIDTokenMalformed},
		{"keys that are gone", func(w *world, _, _ url.Values) {
			if err := w.srv.RotateKeys(true); err != nil {
				w.Fatal(err)
			}
		}, msal.ErrIDTokenSignature},
		{"refused", func(_ *world, a, _ url.Values) { a.Set("error", "access_denied") }, msal.ErrAccessDenied},
	} {
		t.Run("A32 "+c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			client := w.public()
			flow, another := w.begin(client, "code id_token", nil), w.begin(client, "code id_token", nil)
			answer, other := w.follow(flow, alice), w.follow(another, alice)
			c.change(w, answer, other)
			if r, err := client.CompleteAuthCodeVerified(t.Context(), flow, w.verifier, answer, nil); !errors.Is(err, c.want) || r.AccessToken != "" {
				t.Errorf("%v, want %v", err, c.want)
			}
			if n := w.srv.Count(msaltest.KindTokenCode); n != 0 {
				t.Errorf("%d codes were redeemed", n)
			}
		})
	}
}

// unsigned is the token with the algorithm none.
func unsigned(raw string) string {
	return "eyJhbGciOiJub25lIn0." + strings.Split(raw, ".")[1] + "."
}

// TestHybridFlowComparesTheTwo: the token endpoint says who it really was.
func TestHybridFlowComparesTheTwo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		front   map[string]any
		network func(http.RoundTripper) http.RoundTripper
		want    error
	}{
		{"about another person", map[string]any{"sub": "somebody else"}, nil, msal.ErrIDTokenSubject},
		{"the second one unsigned", nil, func(base http.RoundTripper) http.RoundTripper { return unsigning{base} }, msal.ErrIDTokenSignature},
	} {
		t.Run("A32 "+c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.network != nil {
				w.network = &http.Client{Transport: c.network(w.srv.Client().Transport)}
			}
			client := w.public()
			flow := w.begin(client, "code id_token", nil)
			answer := w.follow(flow, alice)
			answer.Set("id_token", w.signed(answer, c.front))
			if r, err := client.CompleteAuthCodeVerified(t.Context(), flow, w.verifier, answer, nil); !errors.Is(err, c.want) || r.AccessToken != "" {
				t.Errorf("%v, want %v", err, c.want)
			}
			if accounts, err := client.Accounts(t.Context()); err != nil || len(accounts) != 0 {
				t.Errorf("%d accounts are signed in, %v", len(accounts), err)
			}
		})
	}
}

// unsigning takes the signature off the token endpoint's ID tokens.
type unsigning struct{ http.RoundTripper }

func (u unsigning) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := u.RoundTripper.RoundTrip(req)
	if err != nil || req.Method != http.MethodPost {
		return resp, err
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	answer["id_token"] = unsigned(answer["id_token"].(string))
	body, err := json.Marshal(answer)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}

// TestHybridFlowNeedsAVerifier: there is no way around it.
func TestHybridFlowNeedsAVerifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.public()
	hybrid, alone, code := w.begin(c, "code id_token", nil), w.begin(c, "id_token", nil), w.begin(c, "code", nil)
	answer := w.follow(hybrid, alice)
	for name, err := range map[string]error{
		"hybrid, completed without":      second(c.CompleteAuthCode(t.Context(), hybrid, answer, nil)),
		"hybrid, with none":              second(c.CompleteAuthCodeVerified(t.Context(), hybrid, nil, answer, nil)),
		"hybrid, as an ID token alone":   second(hybrid.CompleteIDToken(t.Context(), w.verifier, answer)),
		"an ID token, completed without": second(c.CompleteAuthCode(t.Context(), alone, answer, nil)),
		"an ID token, as a code":         second(c.CompleteAuthCodeVerified(t.Context(), alone, w.verifier, answer, nil)),
		"an ID token, with none":         second(alone.CompleteIDToken(t.Context(), nil, answer)),
		"a code, as an ID token":         second(code.CompleteIDToken(t.Context(), w.verifier, answer)),
	} {
		t.Run("A32 "+name, func(t *testing.T) {
			if !errors.Is(err, msal.ErrFlow) {
				t.Error(err)
			}
		})
	}
	if n := w.srv.Count(msaltest.KindTokenCode); n != 0 {
		t.Errorf("%d codes were redeemed", n)
	}
}

func second[T any](_ T, err error) error { return err }
