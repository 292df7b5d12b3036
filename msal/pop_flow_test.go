package msal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// me asks the fake's Graph, which takes proofs, with this Authorization.
func (w *world) me(method, authorization string) int {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.srv.GraphURL()+"/me", http.NoBody)
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	resp, err := w.srv.Client().Do(req)
	if err != nil {
		w.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func (w *world) popFor(method, path string) *msal.PopAuthScheme {
	w.Helper()
	return pop(w, func(o *msal.PopOptions) { o.HTTPMethod, o.URL = method, w.srv.GraphURL()+path })
}

// TestPopForAnAPI gets a token that is bound to the key, and an API that looks
// at all of it.
func TestPopForAnAPI(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world, client silent, o *msal.SilentOptions) {
		scheme := w.popFor(http.MethodGet, "/me")
		r := silently(t, client, &msal.SilentOptions{Account: o.Account, Scheme: scheme})
		if status := w.me(http.MethodGet, scheme.AuthorizationHeader(r.AccessToken)); status != http.StatusOK || r.TokenType != "pop" {
			t.Errorf("the proof: %d, a token of type %s", status, r.TokenType)
		}
		t.Run("S12 sent as what it isn't", func(t *testing.T) {
			if status := w.me(http.MethodGet, "Bearer "+r.AccessToken); status != http.StatusUnauthorized {
				t.Error(status)
			}
		})
		t.Run("S12 for another request", func(t *testing.T) {
			other := w.popFor(http.MethodGet, "/me/manager")
			r := silently(t, client, &msal.SilentOptions{Account: o.Account, Scheme: other})
			if status := w.me(http.MethodGet, other.AuthorizationHeader(r.AccessToken)); status != http.StatusUnauthorized {
				t.Error(status)
			}
		})
		t.Run("S11 a proof for each call, of one token", func(t *testing.T) {
			before := w.srv.Count(msaltest.KindToken)
			again := silently(t, client, &msal.SilentOptions{Account: o.Account, Scheme: w.popFor(http.MethodGet, "/me")})
			if n := w.srv.Count(msaltest.KindToken) - before; n != 0 || !again.FromCache() {
				t.Errorf("%d requests for a token", n)
			}
			if status := w.me(http.MethodGet, scheme.AuthorizationHeader(again.AccessToken)); status != http.StatusOK {
				t.Error(status)
			}
		})
		t.Run("S11 a bearer token beside it", func(t *testing.T) {
			r := silently(t, client, o)
			if status := w.me(http.MethodGet, "Bearer "+r.AccessToken); status != http.StatusOK || r.TokenType != "Bearer" {
				t.Errorf("%d, a token of type %s", status, r.TokenType)
			}
		})
	})
}

// TestPopWithMSALsOwnClient needs none of this package's clients.
func TestPopWithMSALsOwnClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client := w.publicAlone()
	scheme := w.popFor(http.MethodGet, "/me")
	account := w.signIn(client, alice).Account
	t.Run("S11 WithAuthenticationScheme", func(t *testing.T) {
		r, err := client.AcquireTokenSilent(t.Context(), scopes, public.WithSilentAccount(account), public.WithAuthenticationScheme(scheme))
		if err != nil {
			t.Fatal(err)
		}
		if status := w.me(http.MethodGet, scheme.AuthorizationHeader(r.AccessToken)); status != http.StatusOK {
			t.Error(status)
		}
		form := w.srv.Requests(msaltest.KindTokenRefresh)[0].Form
		if form.Get("token_type") != "pop" || form.Get("req_cnf") != scheme.TokenRequestParams()["req_cnf"] {
			t.Errorf("asked for %q, bound to %q", form.Get("token_type"), form.Get("req_cnf"))
		}
	})
}

// keyOf is a scheme of a process with a key of its own. Its result is the token
// itself.
type keyOf string

func (k keyOf) KeyID() string                                { return string(k) }
func (keyOf) AccessTokenType() string                        { return "pop" }
func (keyOf) FormatAccessToken(token string) (string, error) { return token, nil }
func (k keyOf) TokenRequestParams() map[string]string {
	return map[string]string{"token_type": "pop", "req_cnf": base64.RawURLEncoding.EncodeToString([]byte(`{"kid":"` + k + `"}`))}
}

// TestPopKeysInOneCache: two processes have a key each and one cache, and
// neither is given a token that is bound to the other's.
func TestPopKeysInOneCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	open := func() *msal.Public {
		c, _ := w.cache(nil)
		return w.public(w.options(c))
	}
	first, second := open(), open()
	account := w.signIn(first.MSAL(), alice).Account
	for _, c := range []struct {
		name    string
		client  *msal.Public
		scheme  public.AuthenticationScheme
		key     any
		fetched int
	}{
		{"S11 the first", first, keyOf("k-1"), "k-1", 1},
		{"S11 the first again", first, keyOf("k-1"), "k-1", 0},
		{"S11 the second", second, keyOf("k-2"), "k-2", 1},
		{"S11 the first after the second", first, keyOf("k-1"), "k-1", 1},
		{"S11 a bearer token is none of them", second, nil, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := w.srv.Count(msaltest.KindTokenRefresh)
			r := silently(t, c.client, &msal.SilentOptions{Account: &account, Scheme: c.scheme})
			payload, err := msal.DecodePart(strings.Split(r.AccessToken, ".")[1])
			if err != nil {
				t.Fatal(err)
			}
			var claims struct {
				Confirmation map[string]any `json:"cnf"`
			}
			if err := json.Unmarshal(payload, &claims); err != nil {
				t.Fatal(err)
			}
			if got := claims.Confirmation["kid"]; got != c.key {
				t.Errorf("bound to %v, not %v", got, c.key)
			}
			if n := w.srv.Count(msaltest.KindTokenRefresh) - before; n != c.fetched {
				t.Errorf("%d tokens were issued, not %d", n, c.fetched)
			}
		})
	}
}

// downgrading issues tokens of another type than was asked for.
func downgrading(base msal.Doer, issued any) network {
	return func(req *http.Request) (*http.Response, error) {
		resp, err := base.Do(req)
		if err != nil || req.Method != http.MethodPost {
			return resp, err
		}
		defer resp.Body.Close()
		var answer map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return nil, err
		}
		if answer["token_type"] = issued; issued == nil {
			delete(answer, "token_type")
		}
		body, err := json.Marshal(answer)
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, err
	}
}

// TestPopIsNotDowngraded: a provider that doesn't bind tokens issues bearer
// tokens, which aren't taken for bound ones, nor kept as such.
func TestPopIsNotDowngraded(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		issued any
		fine   bool
	}{"S11 bearer": {"Bearer", false}, "S11 none": {nil, false}, "S11 in other letters": {"PoP", true}} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
				cache, _ := w.cache(nil)
				options := w.options(cache)
				options.HTTPClient = downgrading(w.srv.Client(), row.issued)
				if _, ok := c.(*msal.Public); ok {
					c = w.public(options)
				} else {
					c = w.web(options)
				}
				before := string(w.stored())
				r, err := c.Silent(t.Context(), scopes, &msal.SilentOptions{Account: o.Account, Scheme: w.popFor(http.MethodGet, "/me")})
				if row.fine != (err == nil) || !row.fine && (!errors.Is(err, msal.ErrPop) || string(w.stored()) != before) {
					t.Errorf("%v, %v; stored: %v", r, err, string(w.stored()) != before)
				}
			})
		})
	}
}
