package msal_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

func TestSilentFeatures(t *testing.T) {
	t.Parallel()
	t.Run("A34 a token of the cache", func(t *testing.T) { both(t, silentFromCache) })
	t.Run("A34 the refresh token is redeemed", func(t *testing.T) { both(t, silentRefreshes) })
	t.Run("A35 nothing cached, and a refusal, told apart", func(t *testing.T) { both(t, silentErrors) })
	t.Run("A36 force refresh", func(t *testing.T) { both(t, silentForced) })
	t.Run("C12 claims challenge", func(t *testing.T) { both(t, silentClaims) })
	t.Run("A37 another tenant", func(t *testing.T) { both(t, silentTenant) })
	t.Run("C13 authentication scheme", func(t *testing.T) { both(t, silentScheme) })
}

func silentFromCache(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
	before := w.srv.Count(msaltest.KindToken)
	first, second := silently(t, c, o), silently(t, c, o)
	if first.AccessToken != second.AccessToken || !first.FromCache() || w.srv.Count(msaltest.KindToken) != before {
		t.Errorf("asked %d times; %v, %v", w.srv.Count(msaltest.KindToken)-before, first, second)
	}
	if first.Account.PreferredUsername != alice {
		t.Errorf("the token of %q", first.Account.PreferredUsername)
	}
}

func silentRefreshes(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
	r, err := c.Silent(t.Context(), []string{"api://orders/Read"}, o)
	if err != nil || r.FromCache() || w.srv.Count(msaltest.KindTokenRefresh) != 1 {
		t.Errorf("%v, %v; %d refreshes", r, err, w.srv.Count(msaltest.KindTokenRefresh))
	}
}

func silentErrors(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
	before := w.srv.Count(msaltest.KindToken)
	stranger := *o.Account
	stranger.HomeAccountID = msaltest.HomeAccountID(bob)
	_, err := c.Silent(t.Context(), scopes, &msal.SilentOptions{Account: &stranger})
	if _, refused := errors.AsType[*msal.Error](err); !errors.Is(err, msal.ErrNoToken) || refused || w.srv.Count(msaltest.KindToken) != before {
		t.Errorf("nothing cached: %v, and %d requests", err, w.srv.Count(msaltest.KindToken)-before)
	}
	w.srv.Revoke(alice)
	_, err = c.Silent(t.Context(), scopes, &msal.SilentOptions{Account: o.Account, ForceRefresh: true})
	e, refused := errors.AsType[*msal.Error](err)
	if !refused || errors.Is(err, msal.ErrNoToken) || !errors.Is(err, msal.ErrInteractionRequired) || e.SubError != "bad_token" {
		t.Errorf("refused: %v", err)
	}
}

func silentForced(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
	old := silently(t, c, o)
	forced := *o
	forced.ForceRefresh = true
	newer := silently(t, c, &forced)
	if newer.AccessToken == old.AccessToken || newer.FromCache() {
		t.Error("the token of the cache")
	}
	if got := silently(t, c, o); got.AccessToken != newer.AccessToken || !got.FromCache() {
		t.Error("the forced token isn't what is found from then on")
	}
	if n := w.srv.Count(msaltest.KindTokenRefresh); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func silentClaims(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
	old := silently(t, c, o)
	demanding := *o
	demanding.Claims = `{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`
	newer := silently(t, c, &demanding)
	if newer.AccessToken == old.AccessToken {
		t.Error("the token of the cache")
	}
	if sent := w.last(msaltest.KindTokenRefresh).Form.Get("claims"); sent != demanding.Claims {
		t.Errorf("sent the claims %q", sent)
	}
	if got := silently(t, c, o); got.AccessToken != newer.AccessToken {
		t.Error("the new token isn't what is found from then on")
	}
}

func silentTenant(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
	elsewhere := *o
	elsewhere.TenantID = "fabrikam.example"
	r, err := c.Silent(t.Context(), scopes, &elsewhere)
	if err != nil || r.FromCache() {
		t.Fatal(r, err)
	}
	if path := w.last(msaltest.KindTokenRefresh).Path; !strings.HasPrefix(path, "/fabrikam.example/") {
		t.Errorf("asked at %s", path)
	}
}

// testScheme makes tokens that show that it made them.
type testScheme struct{}

func (testScheme) TokenRequestParams() map[string]string {
	return map[string]string{"token_type": "pop", "req_cnf": "eyJraWQiOiJrZXkifQ"}
}
func (testScheme) KeyID() string           { return "key" }
func (testScheme) AccessTokenType() string { return "pop" }
func (testScheme) FormatAccessToken(token string) (string, error) {
	return "scheme " + token, nil
}

func silentScheme(t *testing.T, w *world, c silent, o *msal.SilentOptions) {
	bound := *o
	bound.Scheme = testScheme{}
	r := silently(t, c, &bound)
	if !strings.HasPrefix(r.AccessToken, "scheme ") || w.last(msaltest.KindTokenRefresh).Form.Get("token_type") != "pop" || r.TokenType != "pop" {
		t.Errorf("%.20q, and the request %v", r.AccessToken, w.last(msaltest.KindTokenRefresh).Form["token_type"])
	}
	if got := silently(t, c, o); strings.HasPrefix(got.AccessToken, "scheme ") {
		t.Error("a plain call gets the scheme's token")
	}
}

// TestForcedTokenWinsOverALongerLife: what a challenge replaced must not come
// back because it would have lived for longer.
func TestForcedTokenWinsOverALongerLife(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"force", "claims"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			cache, _ := w.cache(nil)
			c, o := w.signedInWeb(w.options(cache))
			p, po := w.signedInPublic(w.options(cache))
			setExpiry(t, cache, time.Now().Add(28*time.Hour))
			for _, one := range []struct {
				silent
				o msal.SilentOptions
			}{{c, *o}, {p, *po}} {
				forced := one.o
				if forced.ForceRefresh = name == "force"; !forced.ForceRefresh {
					forced.Claims = `{"access_token":{"xms_cc":{"values":["x"]}}}`
				}
				newer := silently(t, one, &forced)
				if got := silently(t, one, &one.o); got.AccessToken != newer.AccessToken {
					t.Errorf("%T: the old token is back", one.silent)
				}
			}
		})
	}
}

type modifier interface {
	Modify(ctx context.Context, fn func(*tokencache.TokenCache) error) error
}

func setExpiry(t *testing.T, c modifier, at time.Time) {
	t.Helper()
	setTime(t, c, "expires_on", at)
}

// setTime changes all access tokens.
func setTime(t *testing.T, c modifier, field string, at time.Time) {
	t.Helper()
	err := c.Modify(t.Context(), func(tc *tokencache.TokenCache) error {
		for _, e := range tc.Search(tokencache.Query{}) {
			if _, err := tc.Modify(e, map[string]any{field: at}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestForcedCallLeavesOtherTokens: what is in the cache for other APIs stays.
func TestForcedCallLeavesOtherTokens(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, _ *world, c silent, o *msal.SilentOptions) {
		other := []string{"api://orders/Read"}
		kept, err := c.Silent(t.Context(), other, o)
		if err != nil {
			t.Fatal(err)
		}
		forced := *o
		forced.ForceRefresh = true
		silently(t, c, &forced)
		if got, err := c.Silent(t.Context(), other, o); err != nil || got.AccessToken != kept.AccessToken {
			t.Errorf("it is gone: %v, %v", got, err)
		}
	})
}

// TestForcedCallLeavesOthersAlone: somebody else's call through the same client
// finds its token all the while.
func TestForcedCallLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c, o := w.signedInWeb(w.options(nil))
	silently(t, c, o)
	forced := *o
	forced.ForceRefresh = true
	done := make(chan error, 1)
	go func() {
		var err error
		for range 20 {
			if _, err = c.Silent(t.Context(), scopes, &forced); err != nil {
				break
			}
		}
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if n := w.srv.Count(msaltest.KindTokenRefresh); err != nil || n != 20 {
				t.Errorf("%d refreshes for 20 forced calls: %v", n, err)
			}
			return
		default:
			silently(t, c, o)
		}
	}
}
